"""DINOv2's and DINOv3's vision transformer, inference only: normalised pixels in, tokens out.

Parameters carry upstream's state-dict names, so official files load as they are.
Must not know of files, frames or devices; attention itself lives in `kernels.attention`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kernels.attention import attention
from operators.backbones.architectures import Architecture
from operators.backbones.rotary import Rotary, Rotation, rotated

_KEPT_SIZES = 32  # positional embeddings kept, one per frame size; the largest takes 8 MB


class PatchEmbed(nn.Module):
    """Pixels `[B, 3, H, W]` -> patch tokens `[B, h*w, D]`."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.patch = arch.patch
        self.proj = nn.Conv2d(3, arch.width, kernel_size=arch.patch, stride=arch.patch)

    def forward(self, pixels: Tensor) -> Tensor:
        # A matrix product, not a convolution: cuDNN convolves float32 in TF32 unless the whole
        # process forbids it. No slower on CPU (ViT-S, 8 x 224 px: 3.8 for 3.7 ms).
        batch, colours, height, width = pixels.shape
        h, w, side = height // self.patch, width // self.patch, self.patch
        tiles = pixels.reshape(batch, colours, h, side, w, side).permute(0, 2, 4, 1, 3, 5)
        tiles = tiles.reshape(batch, h * w, colours * side * side)
        return F.linear(tiles, self.proj.weight.flatten(1), self.proj.bias)


class Attention(nn.Module):
    """Multi-head self-attention, `[B, N, D]` -> `[B, N, D]`."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.heads = arch.heads
        self.head_dim = arch.head_dim
        self.qkv = nn.Linear(arch.width, 3 * arch.width)
        self.proj = nn.Linear(arch.width, arch.width)

    def forward(self, tokens: Tensor, rotation: Rotation | None = None) -> Tensor:
        qkv = self.qkv(tokens).view(*tokens.shape[:2], 3, self.heads, self.head_dim)
        mixed: Tensor = self.proj(attention(rotated(qkv, rotation) if rotation else qkv))
        return mixed


class Mlp(nn.Module):
    """Feed-forward part of S, B and L."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.fc1 = nn.Linear(arch.width, arch.hidden)
        self.fc2 = nn.Linear(arch.hidden, arch.width)

    def forward(self, tokens: Tensor) -> Tensor:
        out: Tensor = self.fc2(F.gelu(self.fc1(tokens)))
        return out


class SwiGlu(nn.Module):
    """Feed-forward part of g, and of DINOv3's S+, L+, H+ and 7B: `w3(silu(gate) * value)`, gate and
    value from one projection."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.w12 = nn.Linear(arch.width, 2 * arch.hidden)
        self.w3 = nn.Linear(arch.hidden, arch.width)

    def forward(self, tokens: Tensor) -> Tensor:
        gate, value = self.w12(tokens).chunk(2, dim=-1)
        out: Tensor = self.w3(F.silu(gate) * value)
        return out


class LayerScale(nn.Module):
    """Adds a branch to the residual stream, each channel times its learned gamma."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(arch.width))

    def forward(self, tokens: Tensor, branch: Tensor) -> Tensor:
        return torch.addcmul(tokens, branch, self.gamma)


class Block(nn.Module):
    """One transformer block, `[B, N, D]` -> `[B, N, D]`."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(arch.width, eps=arch.norm_eps)
        self.attn = Attention(arch)
        self.ls1 = LayerScale(arch)
        self.norm2 = nn.LayerNorm(arch.width, eps=arch.norm_eps)
        self.mlp = Mlp(arch) if arch.ffn == "mlp" else SwiGlu(arch)
        self.ls2 = LayerScale(arch)

    def forward(self, tokens: Tensor, rotation: Rotation | None = None) -> Tensor:
        tokens = self.ls1(tokens, self.attn(self.norm1(tokens), rotation))
        out: Tensor = self.ls2(tokens, self.mlp(self.norm2(tokens)))
        return out


class VisionTransformer(nn.Module):
    """The backbone. Tokens are ordered class token, registers, patches row by row."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.architecture = arch
        self.cls_token = nn.Parameter(torch.zeros(1, 1, arch.width))
        self.rope_embed = Rotary(arch) if arch.rotary else None
        self.pos_embed = (
            None if arch.rotary else nn.Parameter(torch.zeros(1, 1 + arch.grid**2, arch.width))
        )
        # Only training masks patches; the parameter is here because every file carries it.
        self.mask_token = nn.Parameter(torch.zeros(1, arch.width))
        self.register_tokens = (
            nn.Parameter(torch.zeros(1, arch.registers, arch.width)) if arch.registers else None
        )
        self.patch_embed = PatchEmbed(arch)
        self.blocks = nn.ModuleList(Block(arch) for _ in range(arch.depth))
        self.norm = nn.LayerNorm(arch.width, eps=arch.norm_eps)
        self._positions: dict[tuple[int, int], Tensor] = {}
        self.register_load_state_dict_post_hook(  # type: ignore[no-untyped-call]
            lambda *_: self.forget_positions()
        )

    def forward(
        self, pixels: Tensor, blocks: Sequence[int] = ()
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """Run every block.

        Args:
            pixels: normalised by the architecture's statistics, `[B, 3, H, W]`, H and W multiples
                of the patch.
            blocks: indices of the blocks whose output is wanted as well, from 0.

        Returns:
            Tokens after the final norm `[B, N, D]`, and per wanted block its tokens before it.

        Raises:
            ValueError: a size that is no multiple of the patch, or a block that does not exist.
        """
        missing = sorted(set(blocks) - set(range(len(self.blocks))))
        if missing:
            raise ValueError(
                f"blocks {missing} do not exist; {self.architecture.name} has blocks "
                f"0 to {len(self.blocks) - 1}"
            )
        tokens, kept = self._embed(pixels), {}
        rotation = self._rotation(pixels)
        for index, block in enumerate(self.blocks):
            tokens = block(tokens, rotation)
            if index in blocks:
                kept[index] = tokens
        return self.norm(tokens), kept

    def _embed(self, pixels: Tensor) -> Tensor:
        patch = self.architecture.patch
        height, width = pixels.shape[2:]
        if height % patch or width % patch:
            raise ValueError(f"frame size {height}x{width} must be multiples of {patch}")
        position = self._position(height // patch, width // patch)
        return self.arranged(self.patch_embed(pixels), position)

    def arranged(self, patches: Tensor, position: Tensor) -> Tensor:
        """What goes into the first block.

        Args:
            patches: embedded, `[B, h*w, D]`.
            position: of the class token and of each patch, `[1, 1 + h*w, D]`; `[1, 1, D]` zeros
                where nothing is added.

        Returns:
            Class token, registers, patches, `[B, N, D]`.
        """
        cls = self.cls_token.expand(len(patches), -1, -1)
        tokens = torch.cat((cls, patches), 1) + position
        if self.register_tokens is None:
            return tokens
        registers = self.register_tokens.expand(len(patches), -1, -1)
        return torch.cat((tokens[:, :1], registers, tokens[:, 1:]), 1)

    def forget_positions(self) -> None:
        """For whoever changes `pos_embed` in place in a frozen model, which keeps it resized."""
        self._positions.clear()

    def _rotation(self, pixels: Tensor) -> Rotation | None:
        if self.rope_embed is None:
            return None
        h, w = (side // self.architecture.patch for side in pixels.shape[2:])
        rotation: Rotation = self.rope_embed(h, w)
        return rotation

    def _position(self, h: int, w: int) -> Tensor:
        if self.pos_embed is None:
            return torch.zeros_like(self.cls_token)
        if self.pos_embed.requires_grad:  # in training, where it changes with every step
            return resize_positions(self.pos_embed, (h, w), self.architecture)
        position = self._positions.get((h, w))
        if position is None:  # several threads may come here at once: each is right
            position = resize_positions(self.pos_embed, (h, w), self.architecture)
            if len(self._positions) >= _KEPT_SIZES:
                self._positions.clear()
            self._positions[h, w] = position
        return position

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        self.forget_positions()  # .to(), .half() and the like go through here
        return super()._apply(fn, recurse)  # type: ignore[no-untyped-call]


def resize_positions(table: Tensor, size_hw: tuple[int, int], arch: Architecture) -> Tensor:
    """Positional embeddings for another grid, resized exactly as upstream does.

    Plain models, DINO v1's and v2's, hand bicubic interpolation a *scale* of (n + 0.1) / grid,
    which shifts every sampling point a little; register models give it the size and an antialias
    filter, DeiT (where it is fine-tuned: main.py upstream) the size alone. What learnt padded
    pictures has a grid that fits into the stored one cut out of its corner.

    Args:
        table: class position and the stored grid, `[1, 1 + grid*grid, D]`.
        size_hw: patches down and across.
        arch: whose `registers`, `cornered` and `unshifted` decide which of the ways.

    Returns:
        `[1, 1 + h*w, D]` in the table's dtype.
    """
    h, w = size_hw
    side = arch.grid
    if (h, w) == (side, side):
        return table
    grid = table[:, 1:].float().view(1, side, side, -1).permute(0, 3, 1, 2)
    if arch.cornered and max(h, w) <= side:
        grid = grid[:, :, :h, :w]
    elif arch.registers or arch.unshifted:
        grid = F.interpolate(grid, size=(h, w), mode="bicubic", antialias=not arch.unshifted)
    else:
        scale = ((h + 0.1) / side, (w + 0.1) / side)
        grid = F.interpolate(grid, scale_factor=scale, mode="bicubic")
    patches = grid.flatten(2).transpose(1, 2).to(table.dtype)
    return torch.cat((table[:, :1], patches), 1)


def empty_vit(arch: Architecture) -> VisionTransformer:
    """A model of shapes without memory; g would take 4.5 GB twice otherwise."""
    with torch.device("meta"):
        return VisionTransformer(arch)


def filled_vit(arch: Architecture, tensors: Mapping[str, Tensor]) -> VisionTransformer:
    """A frozen model in evaluation mode that holds these very tensors.

    Args:
        arch: of the model.
        tensors: all of its own, by upstream's names.
    """
    model = empty_vit(arch)
    model.load_state_dict(tensors, strict=True, assign=True)
    return model.eval().requires_grad_(False)
