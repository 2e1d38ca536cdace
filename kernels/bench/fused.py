"""The kernels beside attention's, the torch that each replaces, and where the two meet.

In: a dtype and a device. Out: contests. Must not run anything.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .. import reference
from ..patches import patches
from ..residual import add_norm, norm
from ..swiglu import swiglu
from ..windows import pool_windows

PATCH = 14  # of the frames that are timed, DINOv2's
MEAN, STD, EPS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), 1e-6

Arguments = tuple[Tensor, ...]
Function = Callable[..., Tensor | tuple[Tensor, ...]]
Shape = tuple[int, ...]

# Frames of 224 px at every width, and a small and a large batch at two of them.
TOKENS = (
    *((64, 257, width) for width in (192, 384, 768, 1024, 1536)),
    *((n_batch, n_tokens, w) for n_batch, n_tokens in ((8, 257), (16, 1370)) for w in (384, 1024)),
)
ODD_TOKENS = tuple((3, 37, width) for width in (192, 200, 384, 768, 1024, 1536, 2048))


@dataclass(frozen=True, slots=True)
class Contest:
    """One kernel, the torch it replaces, and the shapes at which they meet."""

    kernel: str
    ours: Function
    eager: Function
    truth: Function
    draw: Callable[[Shape, torch.dtype, torch.device], Arguments]
    gate_shapes: tuple[Shape, ...]
    shapes: tuple[Shape, ...]


def contests(dtype: torch.dtype, device: torch.device) -> tuple[Contest, ...]:
    """All of them.

    Args:
        dtype: of the results.
        device: where the constants of eager torch shall lie.
    """
    return (
        _patches(dtype, device),
        Contest(
            "norm",
            partial(norm, eps=EPS, dtype=dtype),
            partial(eager_norm, dtype=dtype),
            partial(reference.norm, eps=EPS, dtype=dtype),
            partial(draw_stream, branches=0, channels=2),
            ODD_TOKENS,
            TOKENS,
        ),
        Contest(
            "add_norm",
            partial(add_norm, eps=EPS, dtype=dtype),
            partial(eager_add_norm, dtype=dtype),
            partial(reference.add_norm, eps=EPS, dtype=dtype),
            partial(draw_stream, branches=1, channels=3),
            ODD_TOKENS,
            TOKENS,
        ),
        Contest(
            "swiglu",
            swiglu,
            eager_swiglu,
            reference.swiglu,
            partial(draw_rows, rows=1, channels=0),
            ((3, 37, 2000), (1, 1, 2)),
            ((8, 257, 8192), (64, 257, 8192), (16, 1370, 8192)),
        ),
        Contest(
            "windows",
            pool_windows,
            reference.pool_windows,
            reference.pool_windows,
            draw_windows,
            ((5, 1, 384), (5, 7, 385), (3, 256, 100)),
            ((8, 8, 384), (64, 8, 768), (512, 8, 1536)),
        ),
    )


def _patches(dtype: torch.dtype, device: torch.device) -> Contest:
    pixels: dict[str, Any] = {"mean": MEAN, "std": STD, "dtype": dtype, "patch": PATCH}
    # Copied here, because a CUDA graph cannot record a copy from the host.
    mean, std = (torch.tensor(values, device=device) for values in (MEAN, STD))
    return Contest(
        "patches",
        partial(patches, **pixels),
        partial(eager_patches, mean=mean, std=std, dtype=dtype),
        partial(reference.patches, **pixels),
        draw_patches,
        ((1, 14, 14), (3, 42, 70), (2, 518, 518)),
        ((8, 224, 224), (64, 224, 224), (64, 224, 392), (16, 518, 518)),
    )


def eager_patches(pixels: Tensor, *, mean: Tensor, std: Tensor, dtype: torch.dtype) -> Tensor:
    """What the backbone does today, normalise and then cut, but with its constants at hand."""
    n_batch, height, width, _ = pixels.shape
    frames = ((pixels.float() / 255 - mean) / std).to(dtype).permute(0, 3, 1, 2).contiguous()
    tiles = frames.reshape(n_batch, 3, height // PATCH, PATCH, width // PATCH, PATCH)
    return tiles.permute(0, 2, 4, 1, 3, 5).reshape(-1, 3 * PATCH * PATCH)


def eager_norm(tokens: Tensor, weight: Tensor, bias: Tensor, *, dtype: torch.dtype) -> Tensor:
    """torch's own LayerNorm of a float32 stream, rounded for the product that follows."""
    return F.layer_norm(tokens, weight.shape, weight, bias, EPS).to(dtype)


def eager_add_norm(
    tokens: Tensor,
    branch: Tensor,
    gamma: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    dtype: torch.dtype,
) -> tuple[Tensor, Tensor]:
    """The same after a scaled add, as a block of the backbone has it."""
    added = torch.addcmul(tokens, branch.float(), gamma)
    return added, eager_norm(added, weight, bias, dtype=dtype)


def eager_swiglu(gate_value: Tensor) -> Tensor:
    """As the feed-forward part of ViT-g has it."""
    gate, value = gate_value.chunk(2, dim=-1)
    return F.silu(gate) * value


def draw_patches(shape: Shape, dtype: torch.dtype, device: torch.device) -> Arguments:
    """Bytes of frames; the dtype is that of the result."""
    return (torch.randint(0, 256, (*shape, 3), dtype=torch.uint8, device=device),)


def draw_rows(
    shape: Shape, dtype: torch.dtype, device: torch.device, *, rows: int, channels: int
) -> Arguments:
    """Some tensors of the shape, and some with one number per channel."""
    kinds = [shape] * rows + [shape[-1:]] * channels
    return tuple(torch.randn(kind, dtype=dtype, device=device) for kind in kinds)


def draw_stream(
    shape: Shape, dtype: torch.dtype, device: torch.device, *, branches: int, channels: int
) -> Arguments:
    """A float32 stream, what is added to it in the dtype of products, and numbers per channel."""
    (stream,) = draw_rows(shape, torch.float32, device, rows=1, channels=0)
    added = draw_rows(shape, dtype, device, rows=branches, channels=0)
    return (stream, *added, *draw_rows(shape, torch.float32, device, rows=0, channels=channels))


def draw_windows(shape: Shape, dtype: torch.dtype, device: torch.device) -> Arguments:
    """Vectors, frames that are present, a query."""
    vectors, query = draw_rows(shape, dtype, device, rows=1, channels=1)
    present = torch.randint(1, shape[1] + 1, shape[:1], device=device)
    return vectors, present, query


def all_of(result: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The results of a function as a tuple."""
    return result if isinstance(result, tuple) else (result,)
