"""Attention as the backbone calls it: the Triton kernel on CUDA, torch SDPA elsewhere.

In: the fused projection `[B, N, 3, A, 64]`. Out: `[B, N, A*64]`. Which path runs, and why, is
logged once per device and told by `attention_path`. Must not know the model around it, and must
not import triton before a CUDA tensor arrives.
"""

import functools
import logging
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from .tiles import HEAD_DIM, MIN_ARCH

DTYPES = (torch.float32, torch.float16, torch.bfloat16)

_log = logging.getLogger(__name__)


class AttentionPath(NamedTuple):
    """Which implementation serves a device, and the reason in words."""

    name: Literal["triton", "sdpa"]
    reason: str


def attention(qkv: Tensor) -> Tensor:
    """Softmax attention without a mask, softmax(Q K^T / 8) V, of a fused projection.

    A row of the result depends on its own image alone: batch mates never change a bit of it.

    Args:
        qkv: `[B, N, 3, A, 64]` float32, float16 or bfloat16, any strides; index 0, 1, 2 of the
            third axis are queries, keys, values. No axis may be empty.

    Returns:
        `[B, N, A*64]` in the dtype and on the device of `qkv`; the heads lie side by side.

    Raises:
        ValueError: for another shape, head dim or dtype.
    """
    _check(qkv)
    if _runs_triton(qkv.device):
        from .flash import flash_attention

        out: Tensor = flash_attention(qkv)
        return out
    return _sdpa(qkv)


def attention_path(device: torch.device | str) -> AttentionPath:
    """Say which implementation serves a device. On CUDA the kernel is compiled and run to know.

    Args:
        device: a torch device or its name.

    Returns:
        `("triton" | "sdpa", reason)`.
    """
    return _find_path(torch.device(device))


@functools.cache
def _find_path(device: torch.device) -> AttentionPath:
    if device.type != "cuda":
        return AttentionPath("sdpa", f"the Triton kernel needs a CUDA device, this is {device}")
    obstacle = _obstacle(device)
    if obstacle is not None:
        return AttentionPath("sdpa", obstacle)
    return AttentionPath("triton", f"the kernel runs on {torch.cuda.get_device_name(device)}")


def _obstacle(device: torch.device) -> str | None:
    if torch.version.hip is not None:
        return "the Triton kernel is made for NVIDIA chips, this torch is built for ROCm"
    if not torch.cuda.is_available():
        return "torch sees no CUDA device"
    major, minor = torch.cuda.get_device_capability(device)
    if 10 * major + minor < MIN_ARCH:
        return f"compute capability is {major}.{minor}, the Triton kernel needs 8.0 or newer"
    return _launch_error(device)


def _launch_error(device: torch.device) -> str | None:
    # Triton needs its own wheel, a C compiler and a driver that fits; only a launch tells.
    # 257 tokens: the variant of the kernel that 224 px frames use, so its compilation is kept.
    try:
        from .flash import flash_attention

        flash_attention(torch.zeros(1, 257, 3, 1, HEAD_DIM, dtype=torch.float16, device=device))
        torch.cuda.synchronize(device)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        first_line = (str(error).strip().splitlines() or ["no message"])[0]
        return f"the Triton kernel does not run here: {type(error).__name__}: {first_line}"
    return None


def _runs_triton(device: torch.device) -> bool:
    return _announced_path(device).name == "triton"


# torch.compiler.assume_constant_result sets this very mark, but imports torch._dynamo and with it
# triton: 1-2 s at the start of every process (torch 2.15).
_runs_triton._dynamo_marked_constant = True  # type: ignore[attr-defined]


@functools.cache
def _announced_path(device: torch.device) -> AttentionPath:
    path = attention_path(device)
    fell_back = device.type == "cuda" and path.name != "triton"
    level = logging.WARNING if fell_back else logging.INFO
    _log.log(level, "attention on %s runs %s: %s", device, path.name, path.reason)
    return path


def _sdpa(qkv: Tensor) -> Tensor:
    q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
    return scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


def _check(qkv: Tensor) -> None:
    if qkv.dim() != 5 or qkv.shape[2] != 3 or qkv.shape[4] != HEAD_DIM:
        raise ValueError(
            f"qkv has shape {list(qkv.shape)}; allowed: [B, N, 3, A, {HEAD_DIM}], "
            "the output of the qkv projection viewed per head"
        )
    if qkv.numel() == 0:
        raise ValueError(
            f"qkv has shape {list(qkv.shape)}; allowed: at least one image, token and head"
        )
    if qkv.dtype not in DTYPES:
        raise ValueError(f"qkv has dtype {qkv.dtype}; allowed: {', '.join(map(str, DTYPES))}")
