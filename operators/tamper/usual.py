"""What a camera usually shows: running means of its own frames, and how unlike them a frame is.

It follows slow changes, such as daylight, over `memory_s` seconds of event time. Whoever calls it
decides which frames it learns. Must not know what an unlikeness is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from operators.tamper.sight import BLOCK, Numbers, Sight

STEPS = 64  # frames that a mean consists of; later ones are learnt `memory_s / STEPS` apart
ALIKE = 0.7  # least correlation of a block that still shows what it usually does
FLAT = 0.3  # share of its usual structure below which a block has none
TEXTURE = 2.0  # grey levels: blocks with less structure than that tell nothing
STEADY = 0.2  # least usual likeness of a view that can be compared at all
LIVELY = 0.9  # least share of frames that usually differ from the one before

_STORED = "<f2"  # as it is kept; means are rounded to it, so that a resume finds the same
_SWAY = [(down, across) for down in (-1, 0, 1) for across in (-1, 0, 1)]  # cells


@dataclass(frozen=True, slots=True)
class Signs:
    """How unlike its stream's usual picture a frame is; shares, 0 to 1.

    Attributes:
        changed: of the structure that is usually there, what is not there now.
        flat: of that, what has lost its structure.
        layout: how unlike the layout is that the weights see.
        soft: loss of fine detail, relative to the structure that is left.
        dark, bright: of the pixels that are usually not black, or white, those that are now.
        still: every pixel is the one of the frame before, and this camera's usually are not.
    """

    changed: float
    flat: float
    layout: float
    soft: float
    dark: float
    bright: float
    still: bool


@dataclass(slots=True)
class Usual:
    """Of one stream.

    Attributes:
        frames: that were learnt.
        since_us: event time of the first of them.
        learnt_us: of the last.
        slopes, seams: their means, as of `Sight`.
        means: of single numbers: `same` and `layout`, likeness of frames to the means before them;
            `sharp`; `dark`; `bright`; `life`, share of frames that differ from the one before.
        mark: of the last frame that was seen.
    """

    frames: int = 0
    since_us: int = 0
    learnt_us: int = 0
    slopes: Numbers = field(default_factory=lambda: np.zeros((2, 0, 0), np.float32))
    seams: Numbers = field(default_factory=lambda: np.zeros(0, np.float32))
    means: dict[str, float] = field(default_factory=dict)
    mark: bytes = b""

    def known(self, now_us: int, learn_s: float) -> bool:
        """Enough of its frames were learnt."""
        return self.frames > 1 and now_us - self.since_us >= learn_s * 1e6

    def due(self, now_us: int, memory_s: float) -> bool:
        """A frame shall be learnt again."""
        return now_us - self.learnt_us >= memory_s / STEPS * 1e6

    def signs(self, sight: Sight) -> Signs:
        """How unlike a frame is. The view must be known."""
        likeness, means = self._likeness(sight), self.means
        return Signs(
            changed=_loss(likeness["same"], means["same"], unknown=0.0),
            flat=self._flat(sight),
            layout=_loss(likeness["layout"], means["layout"], unknown=1.0),
            soft=max(0.0, 1 - likeness["sharp"] / means["sharp"]) if means["sharp"] else 0.0,
            dark=_gain(sight.dark, means["dark"]),
            bright=_gain(sight.bright, means["bright"]),
            still=sight.mark == self.mark and means["life"] >= LIVELY,
        )

    def learn(self, sight: Sight, now_us: int) -> None:
        """Take a frame into the means."""
        found = self._likeness(sight) if self.frames else {"sharp": _sharp(sight)}
        found |= {"dark": sight.dark, "bright": sight.bright}
        if self.frames:
            found["life"] = float(sight.mark != self.mark)
        else:
            self.since_us = now_us
            self.slopes, self.seams = np.zeros_like(sight.slopes), np.zeros_like(sight.seams)
        self.frames = min(self.frames + 1, STEPS)
        weight = 1 / self.frames
        self.slopes = _moved(self.slopes, sight.slopes, weight)
        self.seams = _moved(self.seams, sight.seams, weight)
        for name, value in found.items():
            before = self.means.get(name, value)
            self.means[name] = before + weight * (value - before)
        self.learnt_us = now_us

    def to_json(self) -> dict[str, Any]:
        """All but the arrays, as JSON values, and how long those are."""
        own = asdict(self) | {"mark": self.mark.hex()}
        return own | {"slopes": self.slopes.shape[1], "seams": len(self.seams)}

    def packed(self) -> bytes:
        """The arrays: little-endian float16."""
        return b"".join(one.astype(_STORED).tobytes() for one in (self.slopes, self.seams))

    @classmethod
    def restored(cls, said: Mapping[str, Any], packed: bytes) -> Self:
        """What `to_json` and `packed` gave.

        Raises:
            ValueError, KeyError, TypeError: they gave something else.
        """
        side, seams = int(said["slopes"]), int(said["seams"])
        numbers = np.frombuffer(packed, _STORED).astype(np.float32)
        if len(numbers) != 2 * side * side + seams:
            raise ValueError(f"{len(numbers)} numbers for {side} cells a side and {seams} seams")
        slopes = numbers[: 2 * side * side].reshape(2, side, side)
        own = {"slopes": slopes, "seams": numbers[2 * side * side :]}
        return cls(**{**said, **own, "mark": bytes.fromhex(said["mark"])})

    def _likeness(self, sight: Sight) -> dict[str, float]:
        blocks, norms = _blocks(self.slopes), _norms(self.slopes)
        told = norms >= TEXTURE * np.sqrt(blocks.shape[1])
        alike = _alike(sight.slopes, blocks, norms)[told]
        return {
            "same": float(np.mean(alike >= ALIKE)) if told.any() else 0.0,
            "layout": _correlation(sight.seams, self.seams),
            "sharp": _sharp(sight),
        }

    def _flat(self, sight: Sight) -> float:
        norms = _norms(self.slopes)
        told = norms >= TEXTURE * np.sqrt(2 * BLOCK * BLOCK)
        flat = _norms(sight.slopes)[told] < FLAT * norms[told]
        return float(np.mean(flat)) if told.any() else 0.0


def _loss(now: float, usual: float, *, unknown: float) -> float:
    """How much is gone of what is usual; `unknown` where hardly anything is."""
    return min(1.0, max(0.0, 1 - now / usual)) if usual >= STEADY else unknown


def _gain(now: float, usual: float) -> float:
    """How much has been added of what can be."""
    return max(0.0, (now - usual) / (1 - usual)) if usual < 1 else 0.0


def _moved(mean: Numbers, value: Numbers, weight: float) -> Numbers:
    moved = mean + np.float32(weight) * (value - mean)
    return moved.astype(_STORED).astype(np.float32)


def _sharp(sight: Sight) -> float:
    """Fine detail beside structure; no light or contrast changes it."""
    return sight.fine / max(float(_norms(sight.slopes).mean()), 1e-3)


def _blocks(slopes: Numbers) -> NDArray[np.float64]:
    """`[2, S, S]` -> `[blocks, numbers]`."""
    count = slopes.shape[1] // BLOCK
    parts = slopes.astype(np.float64).reshape(2, count, BLOCK, count, BLOCK)
    return parts.transpose(1, 3, 0, 2, 4).reshape(count * count, -1)


def _norms(slopes: Numbers) -> NDArray[np.float64]:
    norms: NDArray[np.float64] = np.sqrt((_blocks(slopes) ** 2).sum(axis=1))
    return norms


def _alike(
    slopes: Numbers, usual: NDArray[np.float64], norms: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Correlation of every block with what it usually shows; the best of all that swaying by one
    cell gives."""
    best = np.full(len(usual), -1.0)
    for sway in _SWAY:
        blocks = _blocks(np.roll(slopes, sway, axis=(1, 2)))
        size = np.sqrt((blocks**2).sum(axis=1)) * norms
        best = np.maximum(best, (blocks * usual).sum(axis=1) / np.maximum(size, 1e-9))
    return best


def _correlation(one: Numbers, other: Numbers) -> float:
    a, b = (array.astype(np.float64) - array.mean(dtype=np.float64) for array in (one, other))
    size = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / size) if size else 0.0
