"""Features of a batch -> the numbers that are kept of each frame.

A patch is its distance from the mean along the basis' directions, each rounded to a 127th of the
largest of them; class tokens and registers are rounded to float16 alone. Every frame by itself.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from operators.archive.basis import Directions
from operators.archive.layout import FINAL, LEVELS, Layout, block_name
from operators.frames import Features

Read = dict[str, tuple[Tensor, Tensor]]
"""Name of a map -> its patches `[R, h, w, D]` and its other tokens `[R, T, D]`."""


def read_maps(features: Features, layout: Layout, rows: slice) -> Read:
    """What a layout keeps, as it lies in features.

    Raises:
        KeyError: they lack one of the blocks.
    """
    read: Read = {}
    for block in layout.blocks:
        patches, cls = features.layers[block]
        fine = cls[rows, None]
        if layout.registers:
            assert features.registers is not None
            fine = torch.cat((fine, features.registers[block][rows]), dim=1)
        read[block_name(block)] = (patches[rows], fine)
    if layout.final:
        read[FINAL] = (features.patches[rows], features.cls[rows, None])
    return read


@torch.inference_mode()
def compressed(
    features: Features, layout: Layout, directions: Mapping[str, Directions], rows: slice
) -> tuple[Tensor, Tensor, Tensor]:
    """The numbers of some rows, as `operators.archive.layout.Numbers` has them.

    Args:
        features: hold what the layout keeps.
        layout: which.
        directions: of each map, on the features' device.
        rows: which frames.

    Returns:
        codes uint8 `[R, M, h, w, K]`, which are int8 bit by bit; scales uint16 `[R, M, h, w]` and
        fine uint16 `[R, T, D]`, which are float16.
    """
    codes, scales, fine = [], [], []
    for name, (patches, tokens) in read_maps(features, layout, rows).items():
        own = directions[name]
        along = (patches.float() - own.mean) @ own.into.T
        coded, scale = quantised(along)
        codes.append(coded)
        scales.append(scale)
        fine.append(tokens.half())
    return (
        torch.stack(codes, dim=1).view(torch.uint8),
        torch.stack(scales, dim=1).view(torch.uint16),
        torch.cat(fine, dim=1).view(torch.uint16),
    )


def quantised(along: Tensor, levels: int = LEVELS) -> tuple[Tensor, Tensor]:
    """Numbers `[..., K]` as codes, and the scale of each row of K.

    Args:
        along: float32.
        levels: of a code to either side of zero.

    Returns:
        codes int8 `[..., K]` and scales float16 `[...]`; their product is the number, within half
        a scale and the rounding of that.
    """
    scale = (along.abs().amax(dim=-1) / levels).half()
    step = scale.float()[..., None]
    codes = torch.where(step > 0, along / step, 0).round().clamp(-levels, levels)
    return codes.to(torch.int8), scale
