"""A linear layer as int8 for OpenVINO's graph.

Inputs are cut into 256 steps within the layer's measured range, weights into 255 per output
channel; sums are exact in int32. Which of it runs as int8 is OpenVINO's choice.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from operators.backbones.engines.folded import FoldedVit
from operators.backbones.engines.openvino_graph import Linear, Node, biased, constant
from operators.backbones.engines.openvino_library import ops

_LARGEST, _LEVELS = 127, 256


def int8_linear(vit: FoldedVit, ranges: Mapping[str, float]) -> Linear:
    """What draws a backbone's layers for `openvino_graph`.

    Symmetric about zero and one range per layer: finer schemes measured worse on footage, see
    docs/backends.md.

    Args:
        vit: whose graph it is.
        ranges: from `measured_ranges`.
    """
    range_of = {vit.get_submodule(name): largest for name, largest in ranges.items()}

    def linear(layer: nn.Linear, tokens: Node, parts: int) -> list[Node]:
        stepped = _stepped(tokens, range_of[layer])
        halves = zip(layer.weight.chunk(parts), layer.bias.chunk(parts), strict=True)
        return [
            biased(ops.matmul(stepped, _weights(weight), False, True), bias)
            for weight, bias in halves
        ]

    return linear


def _stepped(tokens: Node, largest: float) -> Node:
    low = np.float32(-largest * (_LARGEST + 1) / _LARGEST)
    ends = [ops.constant(end) for end in (low, np.float32(largest))]
    return ops.fake_quantize(tokens, *ends, *ends, _LEVELS)


def _weights(weight: Tensor) -> Node:
    """`[out, in]`, kept as int8."""
    steps = weight.abs().amax(1, keepdim=True).clamp(min=1e-12) / _LARGEST
    whole = (weight / steps).round().to(torch.int8)
    return ops.multiply(ops.convert(ops.constant(whole.numpy()), "f32"), constant(steps))
