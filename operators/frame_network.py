"""A small network over the frames of a window in their order: what moved is told by comparing them.

Every frame goes through one projection, then all of them together through a hidden layer. `[T F]`
in -> a hidden vector out, for a linear classifier. Knows nothing of windows or of training.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.nn import functional as F

from operators.heads import Layout

FRAME_WEIGHT, FRAME_BIAS = "frame.weight", "frame.bias"
HIDDEN_WEIGHT, HIDDEN_BIAS = "hidden.weight", "hidden.bias"
FRAME_WIDTH, HIDDEN_WIDTH = 64, 64  # P and H


def network_layout(frame_width: int, frames: int) -> Layout:
    """Names and shapes of the tensors, for T frames of F numbers each."""
    return {
        FRAME_WEIGHT: (FRAME_WIDTH, frame_width),
        FRAME_BIAS: (FRAME_WIDTH,),
        HIDDEN_WEIGHT: (HIDDEN_WIDTH, frames * FRAME_WIDTH),
        HIDDEN_BIAS: (HIDDEN_WIDTH,),
    }


def hidden_vectors(tensors: Mapping[str, Tensor], windows: Tensor) -> Tensor:
    """`gelu(hidden(gelu(frame(x_1)) .. gelu(frame(x_T))))`.

    Args:
        tensors: as `network_layout` names them, float32.
        windows: the frames of every window one after the other, `[..., T F]` float32.

    Returns:
        `[..., H]` float32.
    """
    frames = windows.view(*windows.shape[:-1], -1, tensors[FRAME_WEIGHT].shape[1])
    seen = F.gelu(F.linear(frames, tensors[FRAME_WEIGHT], tensors[FRAME_BIAS]))
    return F.gelu(F.linear(seen.flatten(-2), tensors[HIDDEN_WEIGHT], tensors[HIDDEN_BIAS]))
