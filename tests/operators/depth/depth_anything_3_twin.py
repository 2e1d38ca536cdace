"""Depth Anything 3's decoder as its authors list its modules: a state dict has the published names.

ByteDance-Seed/Depth-Anything-3, src/depth_anything_3/{model/dpt.py,configs/da3metric-large.yaml}.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

SIZES = {384: (64, (48, 96, 192, 384)), 1024: (256, (256, 512, 1024, 1024))}


class Unit(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, grid: Tensor) -> Tensor:
        return grid + self.conv2(self.conv1(grid.relu()).relu())


class Fusion(nn.Module):
    def __init__(self, channels: int, *, skips: bool) -> None:
        super().__init__()
        if skips:
            self.resConfUnit1 = Unit(channels)
        self.resConfUnit2 = Unit(channels)
        self.out_conv = nn.Conv2d(channels, channels, 1)

    def forward(self, grid: Tensor, skip: Tensor | None, size: Sequence[int]) -> Tensor:
        if skip is not None:
            grid = grid + self.resConfUnit1(skip)
        grid = self.resConfUnit2(grid)
        return self.out_conv(bilinear(grid, size))


class Decoder(nn.Module):
    """`model.head`: its forward gives depth and sky, `[R, H, W]` each, of four blocks' patches."""

    def __init__(self, width: int) -> None:
        super().__init__()
        channels, scales = SIZES[width]
        self.projects = nn.ModuleList(nn.Conv2d(width, own, 1) for own in scales)
        self.resize_layers = nn.ModuleList(
            [
                nn.ConvTranspose2d(scales[0], scales[0], 4, 4),
                nn.ConvTranspose2d(scales[1], scales[1], 2, 2),
                nn.Identity(),
                nn.Conv2d(scales[3], scales[3], 3, 2, 1),
            ]
        )
        self.scratch = nn.Module()
        for at, own in enumerate(scales, 1):
            setattr(self.scratch, f"layer{at}_rn", nn.Conv2d(own, channels, 3, 1, 1, bias=False))
            setattr(self.scratch, f"refinenet{at}", Fusion(channels, skips=at < 4))
        self.scratch.output_conv1 = nn.Conv2d(channels, channels // 2, 3, 1, 1)
        for end in ("output_conv2", "sky_output_conv2"):
            last = nn.Conv2d(channels // 2, 32, 3, 1, 1)
            setattr(self.scratch, end, nn.Sequential(last, nn.ReLU(), nn.Conv2d(32, 1, 1)))

    def forward(self, blocks: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Of patches after the final norm, `[R, h, w, D]` each."""
        own = self.scratch
        scales = [
            getattr(own, f"layer{at}_rn")(resize(project(block.permute(0, 3, 1, 2))))
            for at, (block, project, resize) in enumerate(
                zip(blocks, self.projects, self.resize_layers, strict=True), 1
            )
        ]
        grid = scales[3]
        for at in (4, 3, 2, 1):
            finer = scales[at - 2].shape[2:] if at > 1 else [2 * side for side in grid.shape[2:]]
            grid = getattr(own, f"refinenet{at}")(grid, scales[at - 1] if at < 4 else None, finer)
        height, width = blocks[0].shape[1:3]
        fine = bilinear(own.output_conv1(grid), (14 * height, 14 * width))
        return own.output_conv2(fine).exp()[:, 0], own.sky_output_conv2(fine).relu()[:, 0]


class Twin(nn.Module):
    """What `model.safetensors` holds, without the blocks of its encoder."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.head = Decoder(width)

    def forward(self, blocks: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Of patches before the final norm, `[R, h, w, D]` each."""
        return self.head([self.norm(block) for block in blocks])

    def published(self) -> dict[str, Tensor]:
        """By the published names, in float32."""
        return {
            f"model.{'backbone.pretrained.' if name.startswith('norm.') else ''}{name}": one.float()
            for name, one in self.state_dict().items()
        }


def bilinear(grid: Tensor, size: Sequence[int]) -> Tensor:
    return interpolate(grid, size=tuple(size), mode="bilinear", align_corners=True)


def without_hidden(encoder: dict[str, Tensor]) -> dict[str, Tensor]:
    """DINOv2's tensors as the file names those of them that it has."""
    return {
        f"model.backbone.pretrained.{name}": one.to(torch.float32)
        for name, one in encoder.items()
        if name != "mask_token" and not name.startswith("norm.")
    }
