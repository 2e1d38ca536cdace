"""Windows of frames to one vector each, weighed by a learned query: many windows in one launch.

In: `[W, T, F]` and how many frames each window has. Out: `[W, F]`. Triton on CUDA, float32 torch
elsewhere. Must not know what the vectors mean, nor import triton before a CUDA tensor arrives.
"""

import torch
from torch import Tensor

from . import reference
from .attention import DTYPES
from .device import runs_triton

MAX_FRAMES = 256
"""Longest window: a program holds at least 16 numbers of every frame at a time."""


def pool_windows(vectors: Tensor, present: Tensor, query: Tensor) -> Tensor:
    """softmax(vectors . query / sqrt(F)) over the frames that are present, times the vectors.

    Args:
        vectors: `[W, T, F]` float32, float16 or bfloat16, any strides, T at most 256. Frames from
            `present` on are not read: they may hold anything.
        present: int32 or int64 `[W]`, each from 1 to T, on the same device. Not looked at here,
            because that would wait for the device: 0 gives NaN.
        query: `[F]`, of the dtype of `vectors`.

    Returns:
        `[W, F]` in the dtype of `vectors`, contiguous; the arithmetic is float32.

    Raises:
        ValueError: for other shapes or dtypes.
    """
    _check(vectors, present, query)
    if runs_triton(vectors.device):
        from . import windows_triton

        out: Tensor = windows_triton.pool_windows(vectors, present, query)
        return out
    return reference.pool_windows(vectors, present, query)


def _check(vectors: Tensor, present: Tensor, query: Tensor) -> None:
    if vectors.dtype not in DTYPES:
        raise ValueError(f"vectors are {vectors.dtype}; allowed: {', '.join(map(str, DTYPES))}")
    if vectors.dim() != 3 or vectors.numel() == 0 or vectors.shape[1] > MAX_FRAMES:
        raise ValueError(
            f"vectors have shape {list(vectors.shape)}; allowed: [W, T, F], not empty, "
            f"T at most {MAX_FRAMES}"
        )
    if present.shape != vectors.shape[:1] or present.dtype not in (torch.int32, torch.int64):
        raise ValueError(
            f"present is {present.dtype} {list(present.shape)}; allowed: int32 or int64 "
            f"[{len(vectors)}], one number per window"
        )
    if query.shape != vectors.shape[2:] or query.dtype != vectors.dtype:
        raise ValueError(
            f"query is {query.dtype} {list(query.shape)}; allowed: {vectors.dtype} "
            f"[{vectors.shape[2]}]"
        )
