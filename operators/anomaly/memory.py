"""What every place of a still camera's view usually looks like: patches in -> how unlike that each
of them is.

The score is AnomalyDINO's (arXiv 2405.14529), one minus the cosine to the nearest that is
remembered. There one memory holds all of a picture; here each place has its own, since what is
usual on the road is not on the lawn.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize, pad

from operators.backbones.architectures import Architecture
from operators.backbones.precision import Precision
from operators.errors import GridError
from operators.weights.heads import Head, Layout

PROTOTYPES = "prototypes"
REACH = 1  # places up, down and beside, whose memories a patch is compared with too

MOST_BYTES = 256 << 20  # of patches beside those around them, at once

_SHIFTS = [(down, across) for down in range(2 * REACH + 1) for across in range(2 * REACH + 1)]


class Memory:
    """Prototypes of every place."""

    def __init__(self, head: Head, arch: Architecture) -> None:
        """
        Args:
            head: `prototypes` `[h, w, K, D]`, of any length. A grid of one place is of all places,
                whatever their number.
            arch: the backbone's sizes.

        Raises:
            WeightsError: the head does not fit the backbone.
        """
        own = head.tensors.get(PROTOTYPES)
        places = (1, 1, 1) if own is None or own.ndim != 4 else own.shape[:3]
        head.check(memory_layout(arch, *places))
        if not head.tensors[PROTOTYPES].numel():
            raise head.wrong(f"it holds no prototype: {PROTOTYPES} is {list(places)}")
        self.grid_hw = (int(places[0]), int(places[1]))
        self._prototypes = normalize(head.tensors[PROTOTYPES].float(), dim=-1)

    @property
    def everywhere(self) -> bool:
        """One place's prototypes are all places'."""
        return self.grid_hw == (1, 1)

    def load(self, device: torch.device) -> None:
        """Put the prototypes on a device."""
        self._prototypes = self._prototypes.to(device)

    def distances(self, patches: Tensor) -> Tensor:
        """How unlike all that is remembered around its place each patch is.

        Args:
            patches: `[R, h, w, D]`, of any length.

        Returns:
            float32 `[R, h, w]`, 0 to 2; NaN where a patch is none.

        Raises:
            GridError: other patches down or across than the memory has places.
        """
        rows, h, w, width = patches.shape
        if not self.everywhere and (h, w) != self.grid_hw:
            raise GridError(
                f"anomaly: the head is of pictures of {_said(self.grid_hw)} and is given one of "
                f"{_said((h, w))}; it is of one camera at one size: give it that camera at the "
                "short side that it was fitted at, or fit one for this camera"
            )
        row_bytes = len(_SHIFTS) * h * w * width * 4
        at_once = max(1, min(rows, MOST_BYTES // row_bytes))
        told = torch.empty((rows, h, w), dtype=torch.float32, device=patches.device)
        for first in range(0, rows, at_once):
            first = min(first, rows - at_once)  # one size, so that a kernel sees one shape
            some = slice(first, first + at_once)
            told[some] = self._distances(patches[some])
        return told

    def _distances(self, patches: Tensor) -> Tensor:
        """Of some rows at once: takes two times nine times their room."""
        rows, h, w, _ = patches.shape
        seen = normalize(patches.float(), dim=-1)
        # All patches that meet a place's memory side by side: each memory is read once.
        around = pad(seen, (0, 0, REACH, REACH, REACH, REACH))
        shifted = [around[:, down : down + h, across : across + w] for down, across in _SHIFTS]
        met = torch.stack(shifted, dim=3).permute(1, 2, 0, 3, 4).reshape(h * w, -1, seen.shape[-1])
        own = self._prototypes.expand(h, w, -1, -1).flatten(0, 1)
        with Precision.FLOAT32.on(seen.device):
            likeness = torch.bmm(met, own.transpose(1, 2)).amax(dim=2)
        told = likeness.view(h, w, rows, -1).permute(2, 0, 1, 3)
        return (1 - _brought_back(told)).clamp(0, 2)


def memory_layout(arch: Architecture, h: int, w: int, prototypes: int) -> Layout:
    """Names and shapes of a head's tensors.

    Args:
        arch: the backbone's sizes.
        h, w: places down and across.
        prototypes: K, of each place.
    """
    return {PROTOTYPES: (h, w, prototypes, arch.width)}


def _brought_back(likeness: Tensor) -> Tensor:
    """The highest that any memory says of each patch, `[R, h, w]`, of what the memories say of the
    patches around them, `[R, h, w, shifts]`."""
    h, w = likeness.shape[1:3]
    framed = pad(likeness, (0, 0, REACH, REACH, REACH, REACH), value=-torch.inf)
    best = torch.full_like(likeness[..., 0], -torch.inf)
    for shift, (down, across) in enumerate(_SHIFTS):
        top, left = 2 * REACH - down, 2 * REACH - across
        best = torch.maximum(best, framed[:, top : top + h, left : left + w, shift])
    return best


def _said(grid_hw: tuple[int, int]) -> str:
    return f"{grid_hw[0]} x {grid_hw[1]} patches (down x across)"
