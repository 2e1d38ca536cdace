"""A folded backbone as OpenVINO's graph for frames of one size, as many as one likes.

Built operation by operation, in milliseconds: tracing torch's module for it takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from operators.backbones.engines.folded import FoldedVit
from operators.backbones.engines.openvino_library import ops, ov
from operators.backbones.rotary import Rotation
from operators.backbones.vit import Attention, Block, Mlp, SwiGlu

ANY = -1
_ZERO = np.float32(0)

Node = Any  # an output of an operation; openvino's types are its C++ core's
Linear = Callable[[nn.Linear, Node, int], list[Node]]
"""A layer, its input `[N, in]` and a number of parts -> its output in so many, `[N, out / parts]`.

Parts are products of their own: one product that is split takes 1 to 2 % longer.
"""


def exact_linear(layer: nn.Linear, tokens: Node, parts: int = 1) -> list[Node]:
    """A linear layer in the precision of the rest."""
    halves = zip(layer.weight.chunk(parts), layer.bias.chunk(parts), strict=True)
    return [
        biased(ops.matmul(tokens, constant(weight), False, True), bias) for weight, bias in halves
    ]


def biased(product: Node, bias: Tensor) -> Node:
    """A product with a layer's bias."""
    return ops.add(product, constant(bias))


def openvino_graph(
    vit: FoldedVit,
    size_hw: tuple[int, int],
    blocks: Sequence[int],
    linear: Linear = exact_linear,
    *,
    batch: int = ANY,
) -> ov.Model:
    """What `FoldedVit.forward` computes.

    Args:
        vit: whose graph it is.
        size_hw: of the frame.
        blocks: whose output is wanted as well, in ascending order.
        linear: draws the blocks' layers.
        batch: frames at a time.

    Returns:
        A graph from uint8 `[B, H, W, 3]` to tokens `[B N, D]` after the final norm, then those of
        the blocks. Two axes: with three, OpenVINO turns the tokens' memory around before and after
        every norm, 7 % of the time.
    """
    pixels = ops.parameter([batch, *size_hw, 3], np.uint8, name="pixels")
    tokens, kept = _embedded(vit, pixels, size_hw), []
    # int8 steps are carried through a reshape to one frame only: others have their tokens counted.
    shape = (1, -1) if batch == 1 else (-1, vit.layout.tokens(size_hw))
    turns = vit.layout.rotation(size_hw)
    for index, block in enumerate(vit.blocks):
        assert isinstance(block, Block)
        normed = _normed(block.norm1, tokens)
        tokens = ops.add(tokens, _attended(block.attn, normed, shape, turns, linear))
        tokens = ops.add(tokens, _transformed(block.mlp, _normed(block.norm2, tokens), linear))
        if index in blocks:
            kept.append(tokens)
    return ov.Model([_normed(vit.norm, tokens), *kept], [pixels], vit.architecture.name)


def _embedded(vit: FoldedVit, pixels: Node, size_hw: tuple[int, int]) -> Node:
    side = vit.architecture.patch
    h, w = vit.layout.grid(size_hw)
    tiles = ops.transpose(_reshaped(pixels, -1, h, side, w, side, 3), _shape(0, 1, 3, 5, 2, 4))
    flat = ops.convert(_reshaped(tiles, -1, 3 * side * side), "f32")
    (products,) = exact_linear(vit.embed, flat)
    width = vit.architecture.width
    first, positions = vit.layout.placed(size_hw)
    room = _shape(0, first.shape[1], 0)  # for the tokens that come before the patches
    patches = ops.pad(
        _reshaped(products, -1, h * w, width), room, _shape(0, 0, 0), "constant", _ZERO
    )
    placed = ops.add(patches, constant(torch.cat((first, positions), 1)))
    return _reshaped(placed, -1, width)


def _attended(
    attention: Attention,
    tokens: Node,
    shape: tuple[int, int],
    rotation: Rotation | None,
    linear: Linear,
) -> Node:
    heads = (attention.heads, attention.head_dim)
    q, k, v = (
        ops.transpose(_reshaped(part, *shape, *heads), _shape(0, 2, 1, 3))
        for part in linear(attention.qkv, tokens, 3)
    )
    if rotation:
        q, k = _rotated(q, rotation), _rotated(k, rotation)
    mixed = ops.transpose(ops.scaled_dot_product_attention(q, k, v), _shape(0, 2, 1, 3))
    return linear(attention.proj, _reshaped(mixed, -1, attention.proj.in_features), 1)[0]


def _rotated(heads: Node, rotation: Rotation) -> Node:
    """`[B, A, N, K]`: what `operators.backbones.rotary.rotated` does."""
    first, second = ops.split(heads, ops.constant(np.int64(3)), 2).outputs()
    cos, sin = map(constant, rotation)
    return ops.concat(
        [
            ops.subtract(ops.multiply(first, cos), ops.multiply(second, sin)),
            ops.add(ops.multiply(second, cos), ops.multiply(first, sin)),
        ],
        3,
    )


def _transformed(mlp: Mlp | SwiGlu, tokens: Node, linear: Linear) -> Node:
    if isinstance(mlp, Mlp):
        (hidden,) = linear(mlp.fc1, tokens, 1)
        return linear(mlp.fc2, ops.gelu(hidden, "erf"), 1)[0]
    gate, value = linear(mlp.w12, tokens, 2)
    return linear(mlp.w3, ops.multiply(ops.swish(gate), value), 1)[0]


def _normed(norm: nn.LayerNorm, tokens: Node) -> Node:
    even = ops.mvn(tokens, _shape(1), True, norm.eps, "inside_sqrt")
    return ops.add(ops.multiply(even, constant(norm.weight)), constant(norm.bias))


def _reshaped(node: Node, *shape: int) -> Node:
    return ops.reshape(node, _shape(*shape), False)


def _shape(*numbers: int) -> Node:
    return ops.constant(np.array(numbers, dtype=np.int64))


def constant(tensor: Tensor) -> Node:
    """A tensor as float32."""
    return ops.constant(tensor.detach().to(torch.float32).numpy())
