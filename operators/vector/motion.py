"""What moves between the frames of a window: cells of frozen features are matched over time.

DINOv2's patch features find the same thing again in another frame, so where a cell's nearest
likeness lies in the frame before says how the thing there moved; a small convolution reads that
field. A frame's patches in -> its cells out; cells of a window in -> a hidden vector out, for a
linear classifier. Must not know windows' clocks or training.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from operators.backbones.architectures import Architecture
from operators.frames import Features
from operators.weights.heads import Head, Layout

CELLS = 8  # a side of the grid that a frame's patches are averaged into, whatever its size
_LOOKS, _MARKS = 8, 32  # numbers of a cell: how it looks, and what it is known again by
_REACH = 2  # cells that a thing may move from frame to frame
_FIELD, _STEP, _HIDDEN = 32, 40, 48
_PLACES = (2 * _REACH + 1) ** 2
_SHARPNESS = 4.0  # likeness lies between -1 and 1

CELL_WEIGHT, CELL_BIAS = "cell.weight", "cell.bias"
HIDDEN_WIDTH = _HIDDEN
FRAME_WIDTH = CELLS * CELLS * (_LOOKS + _MARKS)
"""How many numbers a frame becomes."""


def motion_layout(width: int, frames: int) -> Layout:
    """Names and shapes of the tensors.

    Args:
        width: D of the backbone.
        frames: T of a window, two or more.
    """
    return {
        CELL_WEIGHT: (_LOOKS + _MARKS, width),
        CELL_BIAS: (_LOOKS + _MARKS,),
        "near.weight": (_FIELD, _LOOKS + 2 * _PLACES, 3, 3),
        "near.bias": (_FIELD,),
        "far.weight": (_FIELD, _FIELD, 3, 3),
        "far.bias": (_FIELD,),
        "step.weight": (_STEP, _FIELD * (CELLS // 2) ** 2),
        "step.bias": (_STEP,),
        "hidden.weight": (_HIDDEN, (frames - 1) * _STEP),
        "hidden.bias": (_HIDDEN,),
    }


class MotionCells:
    """How a head for motion reads a frame."""

    layers: tuple[int, ...] = ()
    width = FRAME_WIDTH

    def __init__(self, head: Head, arch: Architecture) -> None:
        """
        Args:
            head: its tensors `cell.weight` `[40, D]` and `cell.bias` `[40]`.
            arch: the backbone's sizes.

        Raises:
            WeightsError: the head lacks them or fits another width.
        """
        for name, shape in motion_layout(arch.width, 2).items():
            if name in (CELL_WEIGHT, CELL_BIAS) and _shape(head.tensors.get(name)) != shape:
                raise head.wrong(
                    f"{name} must be {list(shape)} for {arch.name}, got "
                    f"{_shape(head.tensors.get(name)) or 'none'}"
                )
        self._tensors = {name: head.tensors[name].float() for name in (CELL_WEIGHT, CELL_BIAS)}

    def to(self, device: torch.device, dtype: torch.dtype) -> None:
        """Move to where features come from; the arithmetic stays float32."""
        self._tensors = {name: tensor.to(device) for name, tensor in self._tensors.items()}

    def patch_weights(self) -> Mapping[int | None, Tensor]:
        """See `Operator.patch_weights`."""
        return {None: self._tensors[CELL_WEIGHT]}

    def vectors(self, features: Features, rows: slice) -> Tensor:
        """Of some rows, `[R, FRAME_WIDTH]` float32 on the features' device."""
        return marked_cells(self._tensors, averaged_cells(features.patches[rows].float()))


def averaged_cells(patches: Tensor) -> Tensor:
    """Patches `[..., h, w, D]` averaged into `[..., CELLS * CELLS, D]`, row by row."""
    grid = F.adaptive_avg_pool2d(patches.movedim(-1, -3), CELLS)
    return grid.flatten(-2).mT


def marked_cells(tensors: Mapping[str, Tensor], cells: Tensor) -> Tensor:
    """Each cell's looks and its mark, the mark of length one.

    Args:
        tensors: `cell.weight` and `cell.bias`, float32.
        cells: `[..., CELLS * CELLS, D]` float32.

    Returns:
        `[..., FRAME_WIDTH]`.
    """
    both = F.linear(cells, tensors[CELL_WEIGHT], tensors[CELL_BIAS])
    marks = F.normalize(both[..., _LOOKS:], dim=-1)
    return torch.cat((both[..., :_LOOKS], marks), dim=-1).flatten(-2)


def hidden_vectors(tensors: Mapping[str, Tensor], windows: Tensor, dropout: float = 0.0) -> Tensor:
    """What a window's motion is told by.

    Every frame but the first is matched with the one before it and with the window's first.

    Args:
        tensors: as `motion_layout` names them, float32.
        windows: `[M, T * FRAME_WIDTH]` float32.
        dropout: share of the numbers that are dropped, in training.

    Returns:
        `[M, HIDDEN_WIDTH]` float32.
    """
    frames = windows.view(len(windows), -1, CELLS, CELLS, _LOOKS + _MARKS).permute(0, 1, 4, 2, 3)
    looks, marks = frames[:, :, :_LOOKS], frames[:, :, _LOOKS:]
    now, steps = marks[:, 1:], marks.shape[1] - 1
    before, first = marks[:, :-1], marks[:, :1].expand(-1, steps, -1, -1, -1)
    seen = (looks[:, 1:].flatten(0, 1), _likeness(now, before), _likeness(now, first))
    field = torch.cat(seen, dim=1)
    field = F.gelu(F.conv2d(field, tensors["near.weight"], tensors["near.bias"], padding=1))
    field = F.gelu(F.conv2d(field, tensors["far.weight"], tensors["far.bias"], 2, padding=1))
    step = F.dropout(field.flatten(1), dropout, dropout > 0)
    step = F.gelu(F.linear(step, tensors["step.weight"], tensors["step.bias"]))
    told = F.dropout(step.view(len(windows), -1), dropout, dropout > 0)
    hidden = F.gelu(F.linear(told, tensors["hidden.weight"], tensors["hidden.bias"]))
    return F.dropout(hidden, dropout, dropout > 0)


def _likeness(now: Tensor, other: Tensor) -> Tensor:
    """Of every cell with each cell of another frame within reach, none beyond the picture: marks
    `[M, T, K, C, C]` twice -> `[M T, places, C, C]`.

    All cells with all, then the near ones taken: 15 times as fast as place by place.
    """
    own, others = now.flatten(0, 1).flatten(2), F.pad(other.flatten(0, 1).flatten(2), (0, 1))
    every = (own.transpose(1, 2) @ others).flatten(1)
    near = every.index_select(1, _near_pairs().to(every.device))
    return _SHARPNESS * near.view(-1, _PLACES, CELLS, CELLS)


@functools.cache
def _near_pairs() -> Tensor:
    """Where a cell and each one around it stand in a table of all pairs, `[places * C * C]`.

    The table's last column is of no cell.
    """
    side = 2 * _REACH + 1
    down, across = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    y, x = torch.meshgrid(torch.arange(CELLS), torch.arange(CELLS), indexing="ij")
    other_y = y + down.reshape(-1, 1, 1) - _REACH
    other_x = x + across.reshape(-1, 1, 1) - _REACH
    inside = (other_y >= 0) & (other_y < CELLS) & (other_x >= 0) & (other_x < CELLS)
    column = torch.where(inside, other_y * CELLS + other_x, CELLS * CELLS)
    return ((y * CELLS + x) * (CELLS * CELLS + 1) + column).flatten()


def _shape(tensor: Tensor | None) -> tuple[int, ...] | None:
    return None if tensor is None else tuple(tensor.shape)
