"""Swin's vision transformer (arXiv 2103.14030), inference only: normalised pixels in, tokens out.

Four stages, each at half the grid and twice the width of the one before; attention stays within
windows, every second time within shifted ones. Parameters carry upstream's state-dict names.
Must not know of files, frames or devices.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from operators.backbones.architectures import Architecture

_NORM_EPS = 1e-5
_STRIDE = 4  # pixels a side of what the first stage calls a patch
_APART = -100.0  # upstream's score between tokens that only the shift has made neighbours
# Grids whose shifted windows are kept told apart; windows of 12 at 384 x 683 px take 10 MB.
_KEPT_SIZES = 12


class PatchEmbed(nn.Module):
    """Pixels `[B, 3, H, W]` -> `[B, H / 4, W / 4, C]`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, kernel_size=_STRIDE, stride=_STRIDE)
        self.norm = nn.LayerNorm(width, eps=_NORM_EPS)

    def forward(self, pixels: Tensor) -> Tensor:
        out: Tensor = self.norm(self.proj(pixels).permute(0, 2, 3, 1))
        return out


class WindowAttention(nn.Module):
    """Multi-head self-attention within windows, `[B, n, T, C]` -> `[B, n, T, C]`."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor, apart: Tensor | None) -> Tensor:
        """Mix the T tokens of each of n windows.

        Args:
            tokens: of the windows.
            apart: from `separation`, of shifted windows.
        """
        q, k, v = self.qkv(tokens).unflatten(-1, (3, self.heads, -1)).permute(3, 0, 1, 4, 2, 5)
        scores = (q * q.shape[-1] ** -0.5) @ k.mT + self._bias()
        if apart is not None:
            scores += apart[:, None]
        mixed: Tensor = self.proj((scores.softmax(-1) @ v).transpose(2, 3).flatten(3))
        return mixed

    def _bias(self) -> Tensor:
        """Of every two tokens of a window by how far they lie apart, `[heads, T, T]`."""
        table = self.relative_position_bias_table
        return table[_offsets(self.window).to(table.device)].permute(2, 0, 1)


class Mlp(nn.Module):
    """Feed-forward part, four times as wide inside."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        out: Tensor = self.fc2(F.gelu(self.fc1(tokens)))
        return out


class SwinBlock(nn.Module):
    """One transformer block, `[B, h, w, C]` -> `[B, h, w, C]`."""

    def __init__(self, width: int, heads: int, window: int, shift: int) -> None:
        super().__init__()
        self.window, self.shift = window, shift
        self.norm1 = nn.LayerNorm(width, eps=_NORM_EPS)
        self.attn = WindowAttention(width, heads, window)
        self.norm2 = nn.LayerNorm(width, eps=_NORM_EPS)
        self.mlp = Mlp(width)

    def forward(self, grid: Tensor) -> Tensor:
        grid = grid + self._attended(self.norm1(grid))
        out: Tensor = grid + self.mlp(self.norm2(grid))
        return out

    def _attended(self, grid: Tensor) -> Tensor:
        """Zeros fill windows up on the right and below and are attended to, as in upstream's
        detection code; a grid of which a side fits into a window is not shifted, as in its
        classifier's, which is what weights have seen."""
        h, w = grid.shape[1:3]
        side = self.window
        shift = self.shift if min(h, w) > side else 0
        padded = F.pad(grid, (0, 0, 0, -w % side, 0, -h % side))
        size = (padded.shape[1], padded.shape[2])
        if shift:
            padded = padded.roll((-shift, -shift), (1, 2))
        apart = separation(size, side, shift).to(grid.device) if shift else None
        whole = _unwindowed(self.attn(_windowed(padded, side), apart), size, side)
        if shift:
            whole = whole.roll((shift, shift), (1, 2))
        return whole[:, :h, :w]


class PatchMerging(nn.Module):
    """Every two by two become one, `[B, h, w, C]` -> `[B, h / 2, w / 2, 2 C]`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * width, eps=_NORM_EPS)
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)

    def forward(self, grid: Tensor) -> Tensor:
        four = [grid[:, down::2, right::2] for right in (0, 1) for down in (0, 1)]
        out: Tensor = self.reduction(self.norm(torch.cat(four, -1)))
        return out


class Stage(nn.Module):
    """Blocks of one grid and what leads to the next; of the last nothing does."""

    def __init__(self, arch: Architecture, index: int) -> None:
        super().__init__()
        finer = arch.finer(index)
        width, heads = arch.width // finer, arch.heads // finer
        self.blocks = nn.ModuleList(
            SwinBlock(width, heads, arch.window, arch.window // 2 if number % 2 else 0)
            for number in range(arch.stages[index])
        )
        self.downsample = PatchMerging(width) if finer > 1 else None


class SwinTransformer(nn.Module):
    """The backbone. Tokens of a map are its mean, then its places row by row."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.architecture = arch
        self.patch_embed = PatchEmbed(arch.width // arch.finer(0))
        self.layers = nn.ModuleList(Stage(arch, index) for index in range(arch.depth))
        self.norm = nn.LayerNorm(arch.width, eps=_NORM_EPS)

    def forward(
        self, pixels: Tensor, blocks: Sequence[int] = ()
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """Run every stage.

        Args:
            pixels: ImageNet-normalised, `[B, 3, H, W]`, H and W multiples of the patch, 32.
            blocks: stages whose map is wanted as well, from 0, before it is merged for the next.

        Returns:
            Tokens of the last map after the final norm `[B, 1 + h w, D]`; per wanted stage those of
            its own map before the norm, `[B, 1 + f h f w, D / f]`, f of `Architecture.finer`.

        Raises:
            ValueError: a size that is no multiple of the patch, or a stage that does not exist.
        """
        arch = self.architecture
        height, width = pixels.shape[2:]
        if height % arch.patch or width % arch.patch:
            raise ValueError(f"frame size {height}x{width} must be multiples of {arch.patch}")
        missing = sorted(set(blocks) - set(range(arch.depth)))
        if missing:
            raise ValueError(
                f"stages {missing} do not exist; {arch.name} has stages 0 to {arch.depth - 1}"
            )
        grid, kept = self.patch_embed(pixels), {}
        for index, stage in enumerate(self.layers):
            assert isinstance(stage, Stage)
            for block in stage.blocks:
                grid = block(grid)
            if index in blocks:
                kept[index] = _tokens(grid)
            if stage.downsample is not None:
                grid = stage.downsample(grid)
        return _tokens(self.norm(grid)), kept


@functools.lru_cache(_KEPT_SIZES)
def separation(size_hw: tuple[int, int], window: int, shift: int) -> Tensor:
    """What is added to the scores of tokens that share a shifted window without being neighbours:
    a shift brings the upper and left rim beside the lower and right one.

    Args:
        size_hw: of a grid, multiples of the window.
        window: its side.
        shift: up and to the left.

    Returns:
        float32 `[n, T, T]`, 0 or -100.
    """

    def bands(length: int) -> Tensor:
        place = torch.arange(length)
        return (place >= length - window).long() + (place >= length - shift).long()

    with torch.inference_mode(False):
        down, across = (bands(length) for length in size_hw)
        parts = 3 * down[:, None] + across
        own = _windowed(parts[None, :, :, None], window)[0, :, :, 0]
        return torch.where(own[:, :, None] == own[:, None, :], 0.0, _APART)


@functools.cache
def _offsets(window: int) -> Tensor:
    """Row of the bias table for every two tokens of a window, `[T, T]`."""
    with torch.inference_mode(False):
        place = torch.arange(window**2)
        down, across = place // window, place % window
        apart = [(one[:, None] - one[None] + window - 1) for one in (down, across)]
        return apart[0] * (2 * window - 1) + apart[1]


def _windowed(grid: Tensor, side: int) -> Tensor:
    """`[B, H, W, C]` -> `[B, n, T, C]`."""
    batch, h, w, width = grid.shape
    tiles = grid.reshape(batch, h // side, side, w // side, side, width).transpose(2, 3)
    return tiles.reshape(batch, -1, side * side, width)


def _unwindowed(windows: Tensor, size_hw: tuple[int, int], side: int) -> Tensor:
    """`[B, n, T, C]` -> `[B, H, W, C]`."""
    (h, w), (batch, _, _, width) = size_hw, windows.shape
    tiles = windows.reshape(batch, h // side, w // side, side, side, width).transpose(2, 3)
    return tiles.reshape(batch, h, w, width)


def _tokens(grid: Tensor) -> Tensor:
    places = grid.flatten(1, 2)
    return torch.cat((places.mean(1, keepdim=True), places), 1)


def empty_swin(arch: Architecture) -> SwinTransformer:
    """A model of shapes without memory."""
    with torch.device("meta"):
        return SwinTransformer(arch)


def filled_swin(arch: Architecture, tensors: Mapping[str, Tensor]) -> SwinTransformer:
    """A frozen model in evaluation mode that holds these very tensors, all of its own."""
    model = empty_swin(arch)
    model.load_state_dict(tensors, strict=True, assign=True)
    return model.eval().requires_grad_(False)
