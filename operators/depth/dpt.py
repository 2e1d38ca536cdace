"""The DPT decoder: features of four blocks in -> a number per pixel of fine maps out.

Every block is brought to its own scale, then merged from coarse to fine (arXiv 2103.13413). Serves
families that differ in details: DINOv2's depth heads and Depth Anything's. Must not know files or
what the numbers mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, gelu, interpolate, linear, relu

from operators.backbones.precision import Precision

Size = tuple[int, int]

_VALUE = "value"


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
        self._layers = {Precision.FLOAT32: _Layers(tensors, Precision.FLOAT32)}
        self._readout = readout
        self._patch = patch

    def load(self, device: torch.device) -> None:
        """Put the weights on a device."""
        exact = self._layers[Precision.FLOAT32].tensors
        there = {name: tensor.to(device) for name, tensor in exact.items()}
        self._layers = {Precision.FLOAT32: _Layers(there, Precision.FLOAT32)}

    def row_bytes(self, grid: Sequence[int], precision: Precision = Precision.FLOAT32) -> int:
        """The most memory that a frame takes on its way, beside the weights.

        That is when its last 3x3 convolution is computed: its input is as fine as the map and has
        half of the decoder's channels; what that was made of is still there, at most half of it.
        What is convolved comes out, and in float32 in the end.

        Args:
            grid: patches down and across.
            precision: of what is convolved.
        """
        last, half = self._layers[Precision.FLOAT32].tensors["last.weight"].shape[:2]
        cells = math.prod(self._fine(grid))
        return cells * (3 * half // 2 * precision.dtype.itemsize + last * torch.float32.itemsize)

    def __call__(
        self,
        read: Sequence[tuple[Tensor, Tensor]],
        precision: Precision = Precision.FLOAT32,
    ) -> Tensor:
        """The maps of some frames.

        Args:
            read: four blocks, finest scale first: (patches `[R, h, w, D]`, class tokens `[R, D]`).
            precision: of all products but the last, whose results are the map's.

        Returns:
            `[R, H, W]` float32, negative values too; `[R, V, H, W]` where a cell has V numbers.
        """
        patches = read[0][0]
        if precision not in self._layers:
            self._layers[precision] = _Layers(self._layers[Precision.FLOAT32].tensors, precision)
        own = self._layers[precision]
        with precision.on(patches.device):
            # No name here holds what is merged: it is let go as soon as it is read.
            return self._values(
                own,
                self._merged(own, [self._scale(own, at, *one) for at, one in enumerate(read)]),
                self._fine(patches.shape[1:3]),
            )

    def _fine(self, grid: Sequence[int]) -> Size:
        """Cells of a map, down and across."""
        if not self._readout:
            return self._patch * grid[0], self._patch * grid[1]
        # The coarsest scale has half of the patches, upwards, and is doubled five times.
        return 32 * -(-grid[0] // 2), 32 * -(-grid[1] // 2)

    def _scale(self, own: _Layers, index: int, patches: Tensor, cls: Tensor) -> Tensor:
        """One block as `[R, C, H, W]` at its own scale: 4, 2, 1 or 1/2 times the patch grid."""
        rows, h, w, width = patches.shape
        tokens = patches.to(own.dtype).reshape(-1, width)
        if self._readout:
            weight, bias = own.pair(f"readout.{index}")
            # The class token is the same beside every patch: its half of the product is a bias.
            of_cls = linear(cls.to(own.dtype), weight[:, width:], bias)
            biases = of_cls[:, None].expand(-1, h * w, -1).reshape(-1, len(bias))
            tokens = gelu(torch.addmm(biases, tokens, weight[:, :width].T))
        weight, bias = own.pair(f"project.{index}")
        channels = linear(tokens, weight.flatten(1), bias).view(rows, h * w, -1).mT
        grid = channels.reshape(rows, -1, h, w).contiguous(memory_format=own.layout)
        if index < 2:
            resized = conv_transpose2d(grid, *own.pair(f"resize.{index}"), stride=(4, 2)[index])
        elif index == 2:
            resized = grid
        else:
            resized = conv2d(grid, *own.pair("resize.3"), stride=2, padding=1)
        return own.conv(resized, f"stage.{index}")

    def _merged(self, own: _Layers, scales: Sequence[Tensor]) -> Tensor:
        merged = None
        for step, skip in enumerate(reversed(scales)):
            if merged is None:
                merged = skip
            else:
                if skip.shape != merged.shape:  # an odd grid has been halved upwards and doubled
                    skip = _resized(skip, _size(merged), corners=False)
                merged = merged + own.residual(skip, f"merge.{step}.skip")
            merged = own.residual(merged, f"merge.{step}.unit")
            # Upstream grows first. Both are linear and the weights of the growing add up to one, so
            # the order changes only rounding; this way the 1x1 convolution costs a quarter.
            merged = conv2d(merged, *own.pair(f"merge.{step}.out"))
            finer = None if self._readout or step == 3 else _size(scales[2 - step])
            merged = _resized(merged, finer or _doubled(merged), corners=True)
        assert merged is not None
        return merged

    def _values(self, own: _Layers, grid: Tensor, fine: Size) -> Tensor:
        if self._readout:
            grid = relu(own.conv(grid, "smooth"))
        grid = own.conv(grid, "squeeze")
        grid = relu(own.conv(_resized(grid, fine, corners=True), "last"))
        with Precision.FLOAT32.on(grid.device):
            return conv2d(grid.float(), *own.pair(_VALUE)).squeeze(1)


class _Layers:
    """A decoder's layers in one precision; the last stays float32, because nothing hides its steps.

    Attributes:
        tensors: the weights.
        dtype: of what they are multiplied with.
        layout: of what is convolved.
    """

    def __init__(self, tensors: Mapping[str, Tensor], precision: Precision) -> None:
        self.dtype, self.layout = precision.dtype, precision.layout
        self.tensors = {
            name: tensor.to(torch.float32 if name.startswith(f"{_VALUE}.") else self.dtype)
            for name, tensor in tensors.items()
        }

    def pair(self, name: str) -> tuple[Tensor, Tensor]:
        """A layer's weight and bias."""
        return self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"]

    def conv(self, grid: Tensor, name: str) -> Tensor:
        """A 3x3 convolution that keeps the size; some have no bias."""
        bias = self.tensors.get(f"{name}.bias")
        return conv2d(grid, self.tensors[f"{name}.weight"], bias, padding=1)

    def residual(self, grid: Tensor, name: str) -> Tensor:
        """A grid plus what two convolutions make of it."""
        inner = self.conv(relu(grid), f"{name}.1")
        return grid + self.conv(relu(inner), f"{name}.2")


def _resized(grid: Tensor, size: Size, *, corners: bool) -> Tensor:
    return interpolate(grid, size=size, mode="bilinear", align_corners=corners)


def _size(grid: Tensor) -> Size:
    return grid.shape[2], grid.shape[3]


def _doubled(grid: Tensor) -> Size:
    return 2 * grid.shape[2], 2 * grid.shape[3]
