"""Which variants of the flash kernel its tile table can ask for, and what each costs compiled.

In: an architecture; a tile, a dtype, a tail width. Out: table rows; a `KernelReport`.
For tests and benchmarks. Must not run the kernel.
"""

from collections.abc import Iterator

import torch

from .aot import ELEMENT_NAMES, KernelReport, compile_report
from .tiles import HEAD_DIM, TILE_TABLE, Tile, TileRow


def variants(arch: int) -> Iterator[tuple[TileRow, torch.dtype, int]]:
    """Every variant that the tile table can ask for on an architecture.

    Args:
        arch: 80 or 90, as the table names them.

    Yields:
        The table's row, a dtype of its element size, and a tail width.
    """
    for row in TILE_TABLE:
        if row.arch != arch:
            continue
        for dtype in ELEMENT_NAMES:
            if dtype.itemsize == row.element_bytes:
                tails = (0, 16, 32, 64)
                yield from ((row, dtype, tail) for tail in tails if tail <= row.tile.block_kv)


def flash_report(tile: Tile, *, arch: int, dtype: torch.dtype, tail: int) -> KernelReport:
    """Compile one variant of the kernel ahead of time.

    Args:
        tile: what one program works on.
        arch: 10 x major + minor compute capability.
        dtype: float16, bfloat16 or float32.
        tail: width of the masked KV block, 0 for none (see `tiles.tail_width`).

    Returns:
        The report.

    Raises:
        ValueError: for another dtype.
        RuntimeError: in a process where triton interprets its kernels (TRITON_INTERPRET=1).
    """
    from .flash import attention_fwd_kernel as kernel

    if dtype not in ELEMENT_NAMES:
        raise ValueError(f"dtype is {dtype}; allowed: {', '.join(map(str, ELEMENT_NAMES))}")
    constants = {"D": HEAD_DIM, "BM": tile.block_q, "BN": tile.block_kv, "TAIL": tail}
    signature = {name: "i32" for name in kernel.arg_names if name not in constants}
    pointer = f"*{ELEMENT_NAMES[dtype]}"
    return compile_report(
        kernel,
        arch=arch,
        signature=signature | {"qkv": pointer, "out": pointer},
        constants=constants,
        # What the launcher finds in a contiguous projection: all are multiples of 64.
        aligned=("qkv", "out", "stride_b", "stride_n", "stride_3", "stride_a"),
        options={
            "num_warps": tile.num_warps,
            "num_stages": tile.num_stages,
            "enable_fp_fusion": True,
        },
    )
