"""Which frame of a row begins another shot: decided when the frames around it are there, too.

Cells of frames in order -> of each frame, a few frames later, whether it is cut off from those
before it. Pure, in whole numbers; the state is JSON values. Knows nothing of times and streams.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.media.miniature import COLUMNS, ROWS

Verdict = Literal["", "cut", "fade"]
"""Nothing; the first frame behind a cut; the first that shows something behind a fade."""

Cells = NDArray[np.uint8]

AROUND = 3  # frames on either side that a frame is held against
LEAST = 8  # levels, of 255, by which the cells of a new shot differ in the mean
STAYS = 0.5  # of the change at a cut, that lies between all frames before and behind it: no flash
ALIKE = 90  # hundredths of correlation from which on two pictures differ by their light alone
BLOCK = 3  # cells a side that are put together to see that
BLACK, PLAIN = 32, 12  # luma of a picture that has faded is below, and differs by less

_CELLS = (3, ROWS, COLUMNS)
_BLOCKS = (3, ROWS // BLOCK, COLUMNS // BLOCK)
_SIZE = 3 * ROWS * COLUMNS


@dataclass(slots=True)
class _Frame:
    """What is remembered of a frame.

    Attributes:
        change: from the frame before, levels, summed up over all cells.
        coarse: its cells in blocks, `[3, 9, 16]`.
    """

    change: int
    coarse: Cells


class Cuts:
    """Of one row of frames without a known break."""

    def __init__(self, threshold: float) -> None:
        """`threshold`: of `ShotRule`."""
        self._threshold = threshold
        self._newest: Cells | None = None
        self._frames: list[_Frame] = []
        self._ahead = 0  # of these, how many are not decided on
        self._faded = False  # the last that was decided on shows nothing

    def see(self, cells: Cells) -> Verdict | None:
        """The next frame's cells, uint8 `[3, 27, 48]`; what is decided on the frame `AROUND` frames
        before it. None: there is none."""
        change = 0 if self._newest is None else _change(self._newest, cells)
        self._newest = cells
        self._frames.append(_Frame(change, _coarse(cells)))
        self._ahead += 1
        return self._decide() if self._ahead > AROUND else None

    def rest(self) -> list[Verdict]:
        """What is decided on the frames that are left: too few come after them for a cut. Another
        row begins."""
        left: list[Verdict] = [""] * self._ahead
        self._newest, self._frames, self._ahead, self._faded = None, [], 0, False
        return left

    def snapshot(self) -> dict[str, Any]:
        """JSON values."""
        if self._newest is None:
            return {}
        coarse = np.stack([one.coarse for one in self._frames])
        return {
            "changes": [one.change for one in self._frames],
            "coarse": base64.b64encode(coarse.tobytes()).decode(),
            "newest": base64.b64encode(self._newest.tobytes()).decode(),
            "ahead": self._ahead,
            "faded": self._faded,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `snapshot` was taken."""
        if not state:
            return
        changes: list[int] = state["changes"]
        coarse = np.frombuffer(base64.b64decode(state["coarse"]), np.uint8)
        blocks = coarse.reshape(len(changes), *_BLOCKS)
        self._frames = [_Frame(*one) for one in zip(changes, blocks, strict=True)]
        self._newest = np.frombuffer(base64.b64decode(state["newest"]), np.uint8).reshape(_CELLS)
        self._ahead, self._faded = state["ahead"], state["faded"]

    def _decide(self) -> Verdict:
        """On the first frame that is not decided on."""
        here = len(self._frames) - self._ahead
        self._ahead -= 1
        was_faded, self._faded = self._faded, _shows_nothing(self._frames[here].coarse)
        verdict: Verdict = ""
        if here and self._is_cut(here):
            verdict = "cut"
        elif was_faded and not self._faded:
            verdict = "fade"
        del self._frames[: max(0, here - AROUND)]
        return verdict

    def _is_cut(self, here: int) -> bool:
        change = self._frames[here].change
        around = self._frames[max(0, here - AROUND) : here + AROUND + 1]
        others = sum(one.change for one in around) - change
        if change < LEAST * _SIZE or change * (len(around) - 1) < self._threshold * others:
            return False
        before, behind = self._frames[max(0, here - AROUND - 1) : here], self._frames[here:]
        apart = [[_apart(one.coarse, other.coarse) for other in behind] for one in before]
        is_flash = min(map(min, apart)) < STAYS * apart[-1][0]
        return not is_flash and not _are_alike(before[-1].coarse, behind[0].coarse)


def _change(one: Cells, other: Cells) -> int:
    return int(np.abs(one.astype(np.int16) - other).sum(dtype=np.int64))


def _coarse(cells: Cells) -> Cells:
    blocks = cells.reshape(3, ROWS // BLOCK, BLOCK, COLUMNS // BLOCK, BLOCK)
    sums = blocks.sum(axis=(2, 4), dtype=np.uint16)
    coarse: Cells = (sums // BLOCK**2).astype(np.uint8)
    return coarse


def _apart(one: Cells, other: Cells) -> int:
    return int(np.abs(one.astype(np.int16) - other).sum(dtype=np.int64))


def _are_alike(one: Cells, other: Cells) -> bool:
    """Whether the luma of one picture is that of the other, brighter or with more contrast. Whole
    numbers of any size, so that no processor rounds."""
    x, y = one[0].ravel().astype(np.int64), other[0].ravel().astype(np.int64)
    count, sum_x, sum_y = x.size, int(x.sum()), int(y.sum())
    both = count * int(x @ y) - sum_x * sum_y
    own_x, own_y = (count * int(v @ v) - total**2 for v, total in ((x, sum_x), (y, sum_y)))
    return both > 0 and bool(100**2 * both**2 >= ALIKE**2 * own_x * own_y)


def _shows_nothing(coarse: Cells) -> bool:
    luma = coarse[0]
    is_dark = int(luma.sum(dtype=np.int64)) < BLACK * luma.size
    return is_dark and int(luma.max()) - int(luma.min()) < PLAIN
