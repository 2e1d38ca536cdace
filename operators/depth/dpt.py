"""The DPT decoder: features of four blocks in -> one number per pixel of fine maps out.

Every block is brought to its own scale, then merged from coarse to fine (arXiv 2103.13413). Serves
two families that differ in details: DINOv2's depth heads and Depth Anything V2. Must not know files
or what the number means.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, gelu, interpolate, linear, relu

Size = tuple[int, int]


class Dpt:
    """One decoder. Tensors by the names of `operators.depth.dpt_layouts`."""

    def __init__(self, tensors: Mapping[str, Tensor], *, readout: bool, patch: int) -> None:
        """
        Args:
            tensors: the weights, float32.
            readout: DINOv2's way: class tokens are mixed into the patches, every merging doubles
                the size, the result has 16 cells per side of a patch. Else Depth Anything's: each
                merging meets the next finer scale's size, the result is as fine as the picture.
            patch: side of a patch in pixels.
        """
        self._tensors = {name: tensor.float() for name, tensor in tensors.items()}
        self._readout = readout
        self._patch = patch

    def load(self, device: torch.device) -> None:
        """Put the weights on a device; they stay float32."""
        self._tensors = {name: tensor.to(device) for name, tensor in self._tensors.items()}

    def row_bytes(self, grid: Sequence[int]) -> int:
        """The most memory that a frame takes on its way, beside the weights.

        That is when its last 3x3 convolution is computed: its input is as fine as the map and has
        half of the decoder's channels, and what that was made of is still there.

        Args:
            grid: patches down and across.
        """
        last, half = self._tensors["last.weight"].shape[:2]
        cells = math.prod(self._fine(grid))
        return cells * (2 * half + last) * torch.float32.itemsize

    def __call__(self, read: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        """The maps of some frames.

        Args:
            read: four blocks, finest scale first: (patches `[R, h, w, D]`, class tokens `[R, D]`).

        Returns:
            `[R, H, W]` float32, negative values too.
        """
        patches = read[0][0]
        with _exact_convolutions(patches.device):
            # No name here holds what is merged: it is let go as soon as it is read.
            return self._values(
                self._merged([self._scale(index, *one) for index, one in enumerate(read)]),
                self._fine(patches.shape[1:3]),
            )

    def _fine(self, grid: Sequence[int]) -> Size:
        """Cells of a map, down and across."""
        if not self._readout:
            return self._patch * grid[0], self._patch * grid[1]
        # The coarsest scale has half of the patches, upwards, and is doubled five times.
        return 32 * -(-grid[0] // 2), 32 * -(-grid[1] // 2)

    def _scale(self, index: int, patches: Tensor, cls: Tensor) -> Tensor:
        """One block as `[R, C, H, W]` at its own scale: 4, 2, 1 or 1/2 times the patch grid."""
        rows, h, w, width = patches.shape
        tokens = patches.float().reshape(-1, width)
        if self._readout:
            weight, bias = self._pair(f"readout.{index}")
            # The class token is the same beside every patch: its half of the product is a bias.
            of_cls = linear(cls.float(), weight[:, width:], bias)
            biases = of_cls[:, None].expand(-1, h * w, -1).reshape(-1, len(bias))
            tokens = gelu(torch.addmm(biases, tokens, weight[:, :width].T))
        weight, bias = self._pair(f"project.{index}")
        grid = linear(tokens, weight.flatten(1), bias).view(rows, h * w, -1).mT.contiguous()
        grid = grid.unflatten(2, (h, w))
        if index < 2:
            resized = conv_transpose2d(grid, *self._pair(f"resize.{index}"), stride=(4, 2)[index])
        elif index == 2:
            resized = grid
        else:
            resized = conv2d(grid, *self._pair("resize.3"), stride=2, padding=1)
        return self._conv(resized, f"stage.{index}")

    def _merged(self, scales: Sequence[Tensor]) -> Tensor:
        merged = None
        for step, skip in enumerate(reversed(scales)):
            if merged is None:
                merged = skip
            else:
                if skip.shape != merged.shape:  # an odd grid has been halved upwards and doubled
                    skip = _resized(skip, _size(merged), corners=False)
                merged = merged + self._residual(skip, f"merge.{step}.skip")
            merged = self._residual(merged, f"merge.{step}.unit")
            # Upstream grows first. Both are linear and the weights of the growing add up to one, so
            # the order changes only rounding; this way the 1x1 convolution costs a quarter.
            merged = conv2d(merged, *self._pair(f"merge.{step}.out"))
            finer = None if self._readout or step == 3 else _size(scales[2 - step])
            merged = _resized(merged, finer or _doubled(merged), corners=True)
        assert merged is not None
        return merged

    def _values(self, merged: Tensor, fine: Size) -> Tensor:
        if self._readout:
            merged = relu(self._conv(merged, "smooth"))
        half = self._conv(merged, "squeeze")
        last = relu(self._conv(_resized(half, fine, corners=True), "last"))
        return conv2d(last, *self._pair("value"))[:, 0]

    def _residual(self, grid: Tensor, name: str) -> Tensor:
        inner = self._conv(relu(grid), f"{name}.1")
        return grid + self._conv(relu(inner), f"{name}.2")

    def _conv(self, grid: Tensor, name: str) -> Tensor:
        """A 3x3 convolution that keeps the size; some have no bias."""
        bias = self._tensors.get(f"{name}.bias")
        return conv2d(grid, self._tensors[f"{name}.weight"], bias, padding=1)

    def _pair(self, name: str) -> tuple[Tensor, Tensor]:
        return self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"]


def _resized(grid: Tensor, size: Size, *, corners: bool) -> Tensor:
    return interpolate(grid, size=size, mode="bilinear", align_corners=corners)


def _size(grid: Tensor) -> Size:
    return grid.shape[2], grid.shape[3]


def _doubled(grid: Tensor) -> Size:
    return 2 * grid.shape[2], 2 * grid.shape[3]


def _exact_convolutions(device: torch.device) -> AbstractContextManager[None]:
    """cuDNN convolves float32 in TF32 unless it is told not to, and by what is fastest that day."""
    if device.type != "cuda":
        return nullcontext()
    flags: AbstractContextManager[None] = torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    )
    return flags
