"""The truth that every attention kernel is held to: plain float32 softmax attention.

In: the fused projection `[B, N, 3, A, K]`. Out: `[B, N, A*K]`.
Written for reading, not for speed: it builds the whole score matrix. Must not know triton.
"""

import math

import torch
from torch import Tensor


def attention(qkv: Tensor) -> Tensor:
    """Softmax attention without a mask, computed in float32 whatever the input's dtype.

    softmax(Q K^T / sqrt(K)) V, equation 1 of "Attention Is All You Need" (arXiv 1706.03762).

    Args:
        qkv: fused projection `[B, N, 3, A, K]`, any floating dtype, any strides;
            index 0, 1, 2 of the third axis are queries, keys, values.

    Returns:
        `[B, N, A*K]` in the dtype of `qkv`; the heads lie side by side.
    """
    q, k, v = qkv.float().unbind(2)
    scores = torch.einsum("bmak,bnak->bamn", q, k) / math.sqrt(q.shape[-1])
    mixed = torch.einsum("bamn,bnak->bmak", scores.softmax(dim=-1), v)
    return mixed.flatten(2).to(qkv.dtype)
