"""Every configuration in which the kernels beside attention's run, and what each costs compiled.

In: a kernel's name, a width or a number of frames, a dtype, an architecture. Out: a
`KernelReport`. For tests and benchmarks. Must not run a kernel.
"""

from typing import Any

import torch

from .aot import ELEMENT_NAMES, KernelReport, compile_report

WIDTHS = (192, 384, 768, 1024, 1536)
"""D of the models: Ti of this project, S, B, L and g of DINOv2."""

PATCHES = (8, 14, 16)
"""Sides of patches, in pixels: DINO v1's finest, DINOv2's, and most other models'."""

FRAMES = (2, 4, 8, 16, 32, 64, 128, 256)
"""Powers of two to which the frames of a window are rounded up."""

VARIANTS: tuple[tuple[str, int], ...] = (
    *(("patches", patch) for patch in PATCHES),
    *(("norm", width) for width in WIDTHS),
    *(("add_norm", width) for width in WIDTHS),
    ("swiglu", 0),
    *(("windows", frames) for frames in FRAMES),
)
"""A kernel's name, and its P, D or T where it is compiled for one, else 0."""

FLOATS = ("eps", "scale", "scale_r", "scale_g", "scale_b", "shift_r", "shift_g", "shift_b")
COUNTS = ("h", "w", "M", "T", "F", "hidden")
LOOSE = (*FLOATS, "h", "w", "M", "T", "stride_y", "stride_b")
"""Arguments that need not be multiples of 16 in contiguous tensors. The rest are: addresses,
widths, and strides but those of frames, which have 3 P / 2 words per patch and row."""


STREAM = ("tokens", "gamma", "weight", "bias", "added")
"""Arguments of `norm` and `add_norm` that have the residual stream's dtype."""


def fused_report(
    kernel: str,
    size: int,
    *,
    arch: int,
    dtype: torch.dtype,
    stream: torch.dtype | None = None,
    normed: torch.dtype | None = None,
) -> KernelReport:
    """Compile one variant ahead of time, for contiguous tensors.

    Args:
        kernel: first of a pair in `VARIANTS`.
        size: second of it.
        arch: 10 x major + minor compute capability.
        dtype: float16, bfloat16 or float32.
        stream: that of the residual stream, where it is another.
        normed: that of a norm, likewise: a model's last one is not rounded.

    Returns:
        The report.

    Raises:
        ValueError: for a variant that does not exist, or another dtype.
        RuntimeError: in a process where triton interprets its kernels (TRITON_INTERPRET=1).
    """
    if (kernel, size) not in VARIANTS:
        raise ValueError(f"variant is {kernel}, {size}; allowed: {VARIANTS}")
    for kind in (dtype, stream or dtype, normed or dtype):
        if kind not in ELEMENT_NAMES:
            raise ValueError(f"dtype is {kind}; allowed: {', '.join(map(str, ELEMENT_NAMES))}")
    function, constants, warps = _configuration(kernel, size, stream or dtype)
    kinds = dict.fromkeys(STREAM, stream or dtype) | {"normed": normed or dtype}
    names = [name for name in function.arg_names if name not in constants]
    return compile_report(
        function,
        arch=arch,
        signature={
            name: _type_of(name, f"*{ELEMENT_NAMES[kinds.get(name, dtype)]}") for name in names
        },
        constants=constants,
        aligned=tuple(name for name in names if name not in LOOSE),
        options={"num_warps": warps, "enable_fp_fusion": True},
    )


def _type_of(name: str, pointer: str) -> str:
    if name in FLOATS:
        return "fp32"
    if name in COUNTS or name.startswith("stride"):
        return "i32"
    return {"words": "*i16", "present": "*i64"}.get(name, pointer)


def _configuration(kernel: str, size: int, stream: torch.dtype) -> tuple[Any, dict[str, int], int]:
    """The jit function, its constants and its warps, as its launcher has them."""
    from . import patches_triton, residual_triton, swiglu_triton, windows_triton

    if kernel == "patches":
        return (
            patches_triton.patches_kernel,
            {"P": size, "BLOCK": patches_triton.BLOCK_PAIRS},
            patches_triton.NUM_WARPS,
        )
    if kernel == "swiglu":
        constants = {"BLOCK": swiglu_triton.BLOCK}
        return swiglu_triton.swiglu_kernel, constants, swiglu_triton.NUM_WARPS
    if kernel == "windows":
        constants = windows_triton.tile(size)
        return windows_triton.windows_kernel, constants, windows_triton.NUM_WARPS
    constants, warps = residual_triton.tile(size, stream)
    is_norm = kernel == "norm"
    function = residual_triton.norm_kernel if is_norm else residual_triton.add_norm_kernel
    return function, constants, warps
