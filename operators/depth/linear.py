"""Metric depth from the official linear heads: features of frames in -> maps in metres out.

The head reads blocks before the final norm, each patch beside its frame's class token, and weighs
256 depths spread evenly over its range (upstream: hub/depthers.py, hub/depth/decode_heads.py).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from operators.backbones.architectures import Architecture
from operators.backbones.projection import Projection
from operators.frames import Features
from operators.weights.heads import Head, Layout

BINS = 256
# By backbone depth: upstream's, and quarters of others': an EoMT's, which is cut off before its
# head, and those of larger CLIPs.
FOUR_BLOCKS = {
    **{12: (2, 5, 8, 11), 24: (4, 11, 17, 23), 40: (9, 19, 29, 39)},
    **{9: (2, 4, 6, 8), 20: (4, 9, 14, 19), 35: (8, 17, 26, 34)},
    **{32: (7, 15, 23, 31), 48: (11, 23, 35, 47)},
}

_FLOOR = 0.1  # added to every weight, so that their sum is never zero
_WEIGHT, _BIAS = "decode_head.conv_depth.weight", "decode_head.conv_depth.bias"


class LinearDepth:
    """One linear head over 1 or 4 blocks."""

    def __init__(
        self, head: Head, arch: Architecture, *, range_m: tuple[float, float], map_scale: int
    ) -> None:
        """
        Args:
            head: tensors in upstream's layout, for 1 or 4 blocks.
            arch: the backbone's sizes.
            range_m: smallest and largest depth of the head, metres.
            map_scale: cells of the map per side of a patch.

        Raises:
            WeightsError: the head does not fit the backbone.
        """
        blocks = 4 if _channels(head.tensors) == 4 * 2 * arch.width else 1
        head.check(depth_layout(arch, blocks))
        self.layers = four_blocks(arch) if blocks == 4 else (arch.depth - 1,)
        self._range_m = range_m
        self._map_scale = map_scale
        weight = head.tensors[_WEIGHT].float().reshape(BINS, blocks, 2, arch.width)
        # Depths count from the middle of the range: a quarter of the rounding at 80 m.
        self._middle_m = sum(range_m) / 2
        offsets_m = torch.linspace(*range_m, BINS) - self._middle_m
        sums = torch.stack([torch.ones(BINS), offsets_m])
        self._of_patch = Projection(weight[:, :, 0].reshape(BINS, -1))
        self._tensors = {
            "of_cls": weight[:, :, 1].reshape(BINS, -1),
            "bias": head.tensors[_BIAS].float(),
            "sums": sums,
            "floor": _FLOOR * sums.double().sum(dim=1, keepdim=True).float(),
        }

    def load(self, device: torch.device) -> None:
        """Put the weights on a device."""
        self._of_patch.load(device)
        self._tensors = {name: tensor.to(device) for name, tensor in self._tensors.items()}

    def patch_weights(self) -> Mapping[int | None, Tensor]:
        """See `Operator.patch_weights`."""
        parts = self._of_patch.weight.chunk(len(self.layers), dim=1)
        return dict(zip(self.layers, parts, strict=True))

    def metres(self, features: Features, rows: slice) -> Tensor:
        """Depth of some rows, float32 `[R, h * map_scale, w * map_scale]`, metres.

        The 1x1 convolution comes before the bilinear upsampling here and after it upstream; both
        are linear and the weights of the upsampling add up to one: the order changes only rounding
        (2 ms instead of 302 ms per frame: S, 4 blocks, 16x16 patches, 2 cores, 2026-11-22).
        """
        read = [features.layers[block] for block in self.layers]
        cls = torch.cat([cls[rows].float() for _, cls in read], dim=1)
        count, (h, w) = len(cls), features.patches.shape[1:3]
        own = self._tensors
        logits = self._of_patch([patches[rows] for patches, _ in read], features.precision)
        # What every patch gets is not rounded: its error would not average away.
        logits = logits.view(count, h * w, BINS)
        logits += (own["bias"] + cls @ own["of_cls"].T)[:, None]
        fine = interpolate(
            logits.view(count, h, w, BINS).permute(0, 3, 1, 2),
            scale_factor=self._map_scale,
            mode="bilinear",
            align_corners=False,
        )
        weights = fine.permute(0, 2, 3, 1).reshape(-1, BINS).relu_()
        # Turned over: two columns at the end of a product take twice as long.
        total, weighted = (own["sums"] @ weights.T + own["floor"]).unbind()
        depth = (self._middle_m + weighted / total).clamp(*self._range_m)
        return depth.view(count, h * self._map_scale, w * self._map_scale)


def four_blocks(arch: Architecture) -> tuple[int, ...]:
    """The blocks that a head over 4 of them reads.

    Raises:
        UsageError: a pyramid.
    """
    arch.require_one_grid("a head over 4 blocks")
    return FOUR_BLOCKS[arch.depth]


def depth_layout(arch: Architecture, blocks: int) -> Layout:
    """Names and shapes of an official linear head over 1 or 4 blocks."""
    return {_WEIGHT: (BINS, 2 * arch.width * blocks, 1, 1), _BIAS: (BINS,)}


def _channels(tensors: Mapping[str, Tensor]) -> int:
    weight = tensors.get(_WEIGHT)
    return int(weight.shape[1]) if weight is not None and weight.ndim == 4 else 0
