"""The truth that every kernel is held to: the same function in plain float32 torch.

In and out as the kernels have it. Each is computed in float32 whatever the inputs are and rounded
once per result. Written for reading, not for speed. Must not know triton.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import layer_norm, silu


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


def packed_attention(qkv: Tensor, lengths: Sequence[int]) -> Tensor:
    """The same within each sequence of a pack.

    Args:
        qkv: `[T, 3, A, K]`, any floating dtype, any strides.
        lengths: tokens of each sequence; T in all.

    Returns:
        `[T, A*K]` in the dtype of `qkv`.
    """
    return torch.cat([attention(one[None])[0] for one in qkv.split(list(lengths))])


def attention_gradient(qkv: Tensor, d_out: Tensor) -> Tensor:
    """Gradient of `attention` by torch's differentiation, in float32 whatever the dtypes.

    Args:
        qkv: `[B, N, 3, A, K]`.
        d_out: `[B, N, A*K]`, gradient of the result.

    Returns:
        float32 `[B, N, 3, A, K]`.
    """
    with torch.inference_mode(False), torch.enable_grad():
        leaf = qkv.float().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(attention(leaf), leaf, d_out.float().clone())
    return gradient


def patches(
    pixels: Tensor, mean: Sequence[float], std: Sequence[float], dtype: torch.dtype, *, patch: int
) -> Tensor:
    """Patches of frames, normalised: (x / 255 - mean) / std, as torchvision's Normalize has it.

    Args:
        pixels: uint8 `[B, H, W, 3]`, H and W multiples of the patch P, any strides.
        mean: of the three colours on a 0..1 scale.
        std: likewise.
        dtype: of the result.
        patch: P, side of a patch in pixels.

    Returns:
        `[B*h*w, 3*P*P]`: frames, rows and columns of patches; within a patch colour, row, column,
        which is the order of a convolution's weights.
    """
    n_batch, height, width, colours = pixels.shape
    scaled = pixels.float() / 255 - torch.tensor(mean, device=pixels.device)
    normal = scaled / torch.tensor(std, device=pixels.device)
    tiles = normal.view(n_batch, height // patch, patch, width // patch, patch, colours)
    return tiles.permute(0, 1, 3, 5, 2, 4).reshape(-1, colours * patch * patch).to(dtype)


def norm(
    tokens: Tensor, weight: Tensor, bias: Tensor, *, eps: float, dtype: torch.dtype | None = None
) -> Tensor:
    """LayerNorm over the last axis, equations 3 and 4 of arXiv 1607.06450.

    Args:
        tokens: `[..., D]`, any floating dtype, any strides.
        weight: `[D]`.
        bias: `[D]`.
        eps: added to the variance.
        dtype: of the result; that of `tokens` where None.

    Returns:
        The shape of `tokens`.
    """
    normed = layer_norm(tokens.float(), weight.shape, weight.float(), bias.float(), eps)
    return normed.to(dtype or tokens.dtype)


def add_norm(
    tokens: Tensor,
    branch: Tensor,
    gamma: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    eps: float,
    dtype: torch.dtype | None = None,
) -> tuple[Tensor, Tensor]:
    """tokens + gamma * branch (LayerScale, section 2.1 of arXiv 2103.17239), and its LayerNorm.

    Args:
        tokens: `[..., D]`, any floating dtype, any strides.
        branch: likewise, of any floating dtype of its own.
        gamma: `[D]`.
        weight: `[D]`, of the norm.
        bias: `[D]`, of the norm.
        eps: added to the variance.
        dtype: of the norm; that of `tokens` where None.

    Returns:
        The sum in the dtype of `tokens`, and the norm of that sum as it was rounded.
    """
    added = (tokens.float() + gamma.float() * branch.float()).to(tokens.dtype)
    return added, norm(added, weight, bias, eps=eps, dtype=dtype)


def swiglu(gate_value: Tensor) -> Tensor:
    """silu(gate) * value, section 2 of "GLU Variants Improve Transformer" (arXiv 2002.05202).

    Args:
        gate_value: `[..., 2*hidden]`, any floating dtype, any strides; the gates come first.

    Returns:
        `[..., hidden]` in the dtype of `gate_value`.
    """
    gate, value = gate_value.float().chunk(2, dim=-1)
    return (silu(gate) * value).to(gate_value.dtype)


def pool_windows(vectors: Tensor, present: Tensor, query: Tensor) -> Tensor:
    """Frames of each window weighed by softmax(vectors . query / sqrt(F)) and summed.

    Attention (equation 1 of arXiv 1706.03762) with one learned query, the frames' vectors being
    keys and values.

    Args:
        vectors: `[W, T, F]`, any floating dtype, any strides; frames from `present` on may hold
            anything.
        present: `[W]` integers from 1 to T, frames that count.
        query: `[F]`.

    Returns:
        `[W, F]` in the dtype of `vectors`.
    """
    absent = torch.arange(vectors.shape[1], device=vectors.device) >= present[:, None]
    frames = vectors.float().masked_fill(absent[..., None], 0)
    match = frames @ query.float() / math.sqrt(vectors.shape[2])
    weights = match.masked_fill(absent, -math.inf).softmax(dim=1)
    return (frames * weights[..., None]).sum(dim=1).to(vectors.dtype)
