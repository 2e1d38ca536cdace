"""The backbone as a GPU runs it: bfloat16 products, a float32 residual stream.

Bytes in, float32 tokens out, all on one device. What a block adds is rounded, what it is added to
never is: docs/decisions/gpu-path.md says what that is worth. On a CPU it computes the same by the
kernels' float32 twins, which is how it is tested without a card.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kernels import reference
from kernels.attention import attention
from kernels.patches import patches
from kernels.residual import add_norm, norm
from kernels.swiglu import swiglu
from operators.backbones.engines.engine import Tokens
from operators.backbones.engines.folded import folded_embedding
from operators.backbones.engines.token_layout import TokenLayout
from operators.backbones.rotary import Rotation, rotated
from operators.backbones.vit import Block, SwiGlu, VisionTransformer

_MEAN, _STD = (0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255)  # by which patches are bytes as such

Run = Callable[[Tensor], Tokens]
"""uint8 RGB `[B, H, W, 3]` on the device to tokens after the final norm `[B, N, D]`, and per wanted
block those before it, float32."""


class GpuVit:
    """A frozen `VisionTransformer`, on one device. Called from one thread."""

    def __init__(
        self,
        vit: VisionTransformer,
        device: torch.device,
        products: torch.dtype,
        fused: Collection[str],
    ) -> None:
        """
        Args:
            vit: float32, on the CPU; not changed.
            device: where it computes.
            products: dtype of weights and of what they are multiplied with.
            fused: which of our kernels run: names of `fused_choice.MOVED`; plain torch elsewhere.
        """
        self._patch = vit.architecture.patch
        self._device, self._products = device, products
        self._fuses_patches = "patches" in fused
        self._layout = TokenLayout(vit, products)
        embed = folded_embedding(vit.patch_embed, vit.architecture.statistics)
        self._embed = embed.weight.detach().to(device, products)
        self._embed_bias = embed.bias.detach()
        self._blocks = GpuBlocks(vit.blocks, vit.norm, device, products, fused)

    def at(self, size_hw: tuple[int, int], blocks: Sequence[int] = ()) -> Run:
        """The model for frames of one size: nothing in a run comes from the host.

        Args:
            size_hw: multiples of the patch.
            blocks: indices of the blocks whose output is wanted as well.
        """
        first, positions = self._layout.placed(size_hw)
        biased = positions + self._embed_bias
        rotation = self._layout.rotation(size_hw)
        turns = rotation and rotation.to(self._device)
        return partial(self._run, first.to(self._device), biased.to(self._device), turns, blocks)

    def _run(
        self,
        first: Tensor,
        positions: Tensor,
        rotation: Rotation | None,
        blocks: Sequence[int],
        pixels: Tensor,
    ) -> Tokens:
        embedded = _float32_product(self._tiles(pixels), self._embed)
        placed = embedded.view(len(pixels), *positions.shape[1:]) + positions
        stream = torch.cat((first.expand(len(pixels), -1, -1), placed), 1)
        return self._blocks(stream, blocks, rotation)

    def _tiles(self, pixels: Tensor) -> Tensor:
        """Every patch's bytes, `[B*hw, 3 * patch**2]`; bfloat16 has them all exactly."""
        if self._fuses_patches:
            return patches(pixels, patch=self._patch, mean=_MEAN, std=_STD, dtype=self._products)
        return self._layout.tiles(pixels).flatten(0, 1)


class GpuBlocks:
    """Some blocks and the norm behind them, on one device. Called from one thread."""

    def __init__(
        self,
        blocks: Iterable[nn.Module],
        norm: nn.Module,
        device: torch.device,
        products: torch.dtype,
        fused: Collection[str],
    ) -> None:
        """
        Args:
            blocks: float32; not changed.
            norm: of what comes out of the last one.
            device: where they compute.
            products: dtype of weights and of what they are multiplied with.
            fused: which of our kernels run, as of `GpuVit`.
        """
        self._products = products
        self._blocks = [_GpuBlock(block, device, products, fused) for block in blocks]
        self._norm = _Norm(norm, device, fused)

    def __call__(
        self, stream: Tensor, wanted: Sequence[int] = (), rotation: Rotation | None = None
    ) -> Tokens:
        """After the norm `[B, N, D]`, and per wanted block before it, float32.

        Args:
            stream: tokens before the first block, float32 `[B, N, D]`.
            wanted: indices among these blocks.
            rotation: of queries and keys, on the device; by plain torch, no kernel of ours turns.
        """
        normed, kept = self._blocks[0].first(stream, self._products), {}
        # A block's last sum is normed for whoever reads it next, in the same kernel.
        nexts = [(block.first, self._products) for block in self._blocks[1:]]
        nexts.append((self._norm, torch.float32))
        for index, (block, (reader, dtype)) in enumerate(zip(self._blocks, nexts, strict=True)):
            stream, normed = block(stream, normed, rotation, reader, dtype)
            if index in wanted:
                kept[index] = stream
        return normed, kept


class _Norm:
    """A LayerNorm's numbers, float32 on the device."""

    def __init__(self, layer: nn.Module, device: torch.device, fused: Collection[str]) -> None:
        assert isinstance(layer, nn.LayerNorm)
        self._norm = norm if "norm" in fused else reference.norm
        self._add_norm = add_norm if "add_norm" in fused else reference.add_norm
        self.weight, self.bias = (
            of.detach().to(device, torch.float32) for of in (layer.weight, layer.bias)
        )
        self.eps = layer.eps

    def __call__(self, stream: Tensor, dtype: torch.dtype) -> Tensor:
        return self._norm(stream, self.weight, self.bias, eps=self.eps, dtype=dtype)

    def of_sum(
        self, stream: Tensor, branch: Tensor, gamma: Tensor, dtype: torch.dtype
    ) -> tuple[Tensor, Tensor]:
        """`stream + gamma * branch`, and the norm of that."""
        return self._add_norm(
            stream, branch, gamma, self.weight, self.bias, eps=self.eps, dtype=dtype
        )


class _GpuBlock:
    """One transformer block; its branches are rounded, its sums are not."""

    def __init__(
        self,
        block: nn.Module,
        device: torch.device,
        products: torch.dtype,
        fused: Collection[str],
    ) -> None:
        assert isinstance(block, Block)
        self._products = products
        self.first, self._second = (
            _Norm(layer, device, fused) for layer in (block.norm1, block.norm2)
        )
        # LayerScale stays a float32 factor: the kernel that adds reads it for nothing.
        self._scales = [
            one.gamma.detach().to(device, torch.float32) for one in (block.ls1, block.ls2)
        ]
        self._heads = (block.attn.heads, block.attn.head_dim)
        mlp = block.mlp
        self._activation: Callable[[Tensor], Tensor]
        if isinstance(mlp, SwiGlu):
            widen, narrow = mlp.w12, mlp.w3
            self._activation = swiglu if "swiglu" in fused else reference.swiglu
        else:
            widen, narrow, self._activation = mlp.fc1, mlp.fc2, F.gelu
        self._qkv, self._proj, self._widen, self._narrow = (
            _Product(layer, device, products)
            for layer in (block.attn.qkv, block.attn.proj, widen, narrow)
        )

    def __call__(
        self,
        stream: Tensor,
        normed: Tensor,
        rotation: Rotation | None,
        reader: _Norm,
        dtype: torch.dtype,
    ) -> tuple[Tensor, Tensor]:
        """The stream after the block `[B, N, D]`, and its norm as the reader wants it."""
        qkv = self._qkv(normed).view(*normed.shape[:2], 3, *self._heads)
        mixed = self._proj(attention(rotated(qkv, rotation) if rotation else qkv))
        stream, normed = self._second.of_sum(stream, mixed, self._scales[0], self._products)
        branch = self._narrow(self._activation(self._widen(normed)))
        return reader.of_sum(stream, branch, self._scales[1], dtype)


class _Product:
    """A linear layer; sums are float32, each result is rounded once."""

    def __init__(self, layer: nn.Linear, device: torch.device, dtype: torch.dtype) -> None:
        self._weight, self._bias = (
            of.detach().to(device, dtype) for of in (layer.weight, layer.bias)
        )

    def __call__(self, rows: Tensor) -> Tensor:
        return F.linear(rows, self._weight, self._bias)


def _float32_product(rows: Tensor, weight: Tensor) -> Tensor:
    """`rows weight^T` not rounded: an embedding is where the stream begins."""
    # cuBLAS alone is known to have such a product of 16-bit numbers.
    if rows.device.type == "cuda" and not torch.version.hip and rows.dtype != torch.float32:
        return torch.mm(rows, weight.t(), out_dtype=torch.float32)
    return rows.float() @ weight.t().float()
