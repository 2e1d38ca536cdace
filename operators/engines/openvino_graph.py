"""A folded backbone as OpenVINO's graph for frames of one size.

Built operation by operation, in milliseconds: tracing torch's module for it takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from operators.architectures import HEAD_DIM
from operators.engines.folded import FoldedVit
from operators.engines.openvino_library import ops, ov
from operators.vit import Attention, Block, Mlp, SwiGlu

Node = Any  # an output of an operation; openvino's types are its C++ core's
Linear = Callable[[nn.Linear, Node], Node]
"""A layer and its input -> its output."""


def exact_linear(layer: nn.Linear, tokens: Node) -> Node:
    """A linear layer in the precision of the rest."""
    product = ops.matmul(tokens, constant(layer.weight), False, True)
    return ops.add(product, constant(layer.bias))


def openvino_graph(
    vit: FoldedVit,
    size_hw: tuple[int, int],
    blocks: Sequence[int],
    linear: Linear = exact_linear,
) -> ov.Model:
    """What `FoldedVit.forward` computes for one frame.

    Args:
        vit: float32.
        size_hw: of the frame.
        blocks: whose output is wanted as well, in ascending order.
        linear: draws the blocks' layers.

    Returns:
        A graph from uint8 `[1, H, W, 3]` to tokens `[1, N, D]` after the final norm, then those of
        the blocks.
    """
    pixels = ops.parameter([1, *size_hw, 3], np.uint8, name="pixels")
    tokens, kept = _embedded(vit, pixels, size_hw), []
    for index, block in enumerate(vit.blocks):
        assert isinstance(block, Block)
        tokens = ops.add(tokens, _attended(block.attn, _normed(block.norm1, tokens), linear))
        tokens = ops.add(tokens, _transformed(block.mlp, _normed(block.norm2, tokens), linear))
        if index in blocks:
            kept.append(tokens)
    return ov.Model([_normed(vit.norm, tokens), *kept], [pixels], vit.architecture.name)


def _embedded(vit: FoldedVit, pixels: Node, size_hw: tuple[int, int]) -> Node:
    side = vit.architecture.patch
    h, w = size_hw[0] // side, size_hw[1] // side
    first, positions = vit.placed(h, w)
    tiles = ops.transpose(_reshaped(pixels, 1, h, side, w, side, 3), _shape(0, 1, 3, 5, 2, 4))
    bytes_ = ops.convert(_reshaped(tiles, 1, h * w, 3 * side * side), "f32")
    patches = ops.add(exact_linear(vit.embed, bytes_), constant(positions))
    return ops.concat([constant(first), patches], axis=1)


def _attended(attention: Attention, tokens: Node, linear: Linear) -> Node:
    heads = attention.heads
    parts = ops.split(linear(attention.qkv, tokens), 2, 3).outputs()
    q, k, v = (
        ops.transpose(_reshaped(part, 1, -1, heads, HEAD_DIM), _shape(0, 2, 1, 3)) for part in parts
    )
    mixed = ops.transpose(ops.scaled_dot_product_attention(q, k, v), _shape(0, 2, 1, 3))
    return linear(attention.proj, _reshaped(mixed, 1, -1, heads * HEAD_DIM))


def _transformed(mlp: Mlp | SwiGlu, tokens: Node, linear: Linear) -> Node:
    if isinstance(mlp, Mlp):
        return linear(mlp.fc2, ops.gelu(linear(mlp.fc1, tokens), "erf"))
    gate, value = ops.split(linear(mlp.w12, tokens), 2, 2).outputs()
    return linear(mlp.w3, ops.multiply(ops.swish(gate), value))


def _normed(norm: nn.LayerNorm, tokens: Node) -> Node:
    even = ops.mvn(tokens, _shape(2), True, norm.eps, "inside_sqrt")
    return ops.add(ops.multiply(even, constant(norm.weight)), constant(norm.bias))


def _reshaped(node: Node, *shape: int) -> Node:
    return ops.reshape(node, _shape(*shape), False)


def _shape(*numbers: int) -> Node:
    return ops.constant(np.array(numbers, dtype=np.int64))


def constant(tensor: Tensor) -> Node:
    """A tensor as float32."""
    return ops.constant(tensor.detach().to(torch.float32).numpy())
