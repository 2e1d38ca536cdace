"""Which variants of the flash kernels their tile tables can ask for, and what each costs compiled.

In: an architecture; a variant and a dtype. Out: table rows with their variants; a `KernelReport`.
For tests and benchmarks. Must not run a kernel.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from .aot import ELEMENT_NAMES, KernelReport, compile_report
from .tiles import TILE_TABLE, TileRow, Variant, check_schedule, variant_for


def variants(
    arch: int, head_dim: int, table: Sequence[TileRow] = TILE_TABLE
) -> Iterator[tuple[TileRow, Variant]]:
    """Every variant that a tile table can ask for on an architecture.

    Args:
        arch: 80 or 90, as the table names them.
        head_dim: K, one of `kernels.tiles.HEAD_DIMS`.
        table: the forward pass's, or one of `kernels.backward_tiles.TABLES`.

    Yields:
        The table's row and a variant of its tile.
    """
    shortest: dict[int, int] = {}
    for row in table:
        if row.arch != arch:
            continue
        first = shortest.get(row.element_bytes, 1)
        # Variants repeat with N modulo the block; the first block of rows and keys is special.
        last = row.max_tokens or first + 2 * max(row.tile.block_q, row.tile.block_kv)
        shortest[row.element_bytes] = last + 1
        needed = dict.fromkeys(variant_for(n, row.tile, head_dim) for n in range(first, last + 1))
        yield from ((row, variant) for variant in needed)


def flash_report(
    variant: Variant, *, arch: int, dtype: torch.dtype, packed: bool = False
) -> KernelReport:
    """Compile one variant of the kernel ahead of time.

    Args:
        variant: the tile and the parts of the kernel; of a schedule of Gluon's that kernel.
        arch: 10 x major + minor compute capability.
        dtype: float16, bfloat16 or float32.
        packed: as training has it, over a pack and with what the gradient needs.

    Returns:
        The report.

    Raises:
        ValueError: for another dtype, or a schedule that is not made for both.
        RuntimeError: in a process where triton interprets its kernels (TRITON_INTERPRET=1).
    """
    if dtype not in ELEMENT_NAMES:
        raise ValueError(f"dtype is {dtype}; allowed: {', '.join(map(str, ELEMENT_NAMES))}")
    check_schedule(variant.tile, arch, dtype.itemsize)
    kernel, constants, options = _kernel(variant)
    if packed:
        constants = {name: value for name, value in constants.items() if value is not None}
    signature = {name: "i32" for name in kernel.arg_names if name not in constants}
    pointer = f"*{ELEMENT_NAMES[dtype]}"
    kept = {"lse": "*fp32", "starts": "*i32"} if packed else {}
    return compile_report(
        kernel,
        arch=arch,
        signature=signature | {"qkv": pointer, "out": pointer} | kept,
        constants=constants,
        # What the launcher finds in a contiguous projection: all are multiples of K.
        aligned=("qkv", "out", "stride_b", "stride_n", "stride_3", "stride_a", *kept),
        options=options,
    )


def _kernel(variant: Variant) -> tuple[Any, dict[str, int | None], dict[str, int | None]]:
    if variant.in_gluon:
        from .flash_gluon import KERNELS, constants, options

        return KERNELS[variant.tile.schedule], {**constants(variant)}, options(variant)
    from .flash import attention_fwd_kernel

    return (
        attention_fwd_kernel,
        {"lse": None, "starts": None, **variant.constants},
        variant.options,
    )


def backward_report(rows: str, variant: Variant, *, arch: int, dtype: torch.dtype) -> KernelReport:
    """Compile one variant of a pass of the gradient ahead of time.

    Args:
        rows: what a program owns, "queries" or "keys".
        variant: the tile and the parts of the kernel.
        arch: 10 x major + minor compute capability.
        dtype: float16, bfloat16 or float32.

    Returns:
        The report.

    Raises:
        RuntimeError: in a process where triton interprets its kernels (TRITON_INTERPRET=1).
    """
    from .flash_backward import key_pass_kernel, query_pass_kernel

    kernel = {"queries": query_pass_kernel, "keys": key_pass_kernel}[rows]
    types = dict.fromkeys(("qkv", "out", "d_out", "d_qkv"), f"*{ELEMENT_NAMES[dtype]}")
    types |= {"lse": "*fp32", "delta": "*fp32", "starts": "*i32"}
    types |= dict.fromkeys(("S", "N", "A", "stride_n", "stride_3", "stride_a"), "i32")
    signature = {name: types[name] for name in kernel.arg_names if name not in variant.constants}
    return compile_report(
        kernel,
        arch=arch,
        signature=signature,
        constants=variant.constants,
        aligned=[name for name in signature if name not in ("S", "N", "A")],
        options=variant.options,
    )
