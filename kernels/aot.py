"""Compiles the flash kernel for a chip that is not there and reads what the machine code costs.

In: a tile, an architecture, a dtype, a tail width. Out: a frozen `KernelReport`.
Needs the triton wheel alone (it brings ptxas, cuobjdump and nvdisasm): no GPU, driver or CUDA
toolkit. Must not run the kernel. For tests and benchmarks.
"""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from .tiles import HEAD_DIM, TILE_TABLE, Tile, TileRow

ELEMENT_NAMES = {torch.float16: "fp16", torch.bfloat16: "bf16", torch.float32: "fp32"}

KIB = 1024
SHARED_LIMIT_BYTES = {
    80: 163 * KIB,
    86: 99 * KIB,
    89: 99 * KIB,
    90: 227 * KIB,
    100: 227 * KIB,
    120: 99 * KIB,
}
"""Shared memory that one block may use; CUDA C++ Programming Guide, table "Technical
Specifications per Compute Capability"."""


@dataclass(frozen=True, slots=True)
class KernelReport:
    """What one compiled variant of the kernel needs; counts are of instructions in the code."""

    arch: int
    element: str
    tile: Tile
    tail: int
    registers: int
    stack_bytes: int
    spill_store_bytes: int
    spill_load_bytes: int
    shared_bytes: int
    wgmma_count: int
    mma_count: int
    exp2_count: int

    @property
    def spill_bytes(self) -> int:
        """Bytes that the code moves between registers and thread-local memory."""
        return self.spill_store_bytes + self.spill_load_bytes

    @property
    def shared_limit_bytes(self) -> int:
        """Shared memory that a block may use on this architecture."""
        return SHARED_LIMIT_BYTES[self.arch]


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


def compile_report(tile: Tile, *, arch: int, dtype: torch.dtype, tail: int) -> KernelReport:
    """Compile one variant of the kernel ahead of time and read its costs from the machine code.

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
    if dtype not in ELEMENT_NAMES:
        raise ValueError(f"dtype is {dtype}; allowed: {', '.join(map(str, ELEMENT_NAMES))}")
    compiled = _compile(tile, arch, ELEMENT_NAMES[dtype], tail)
    with tempfile.TemporaryDirectory() as folder:
        cubin = Path(folder) / "kernel.cubin"
        cubin.write_bytes(compiled.asm["cubin"])
        usage = _run_tool("cuobjdump", "--dump-resource-usage", cubin)
        sass = _run_tool("nvdisasm", "-c", cubin)
    return KernelReport(
        arch=arch,
        element=ELEMENT_NAMES[dtype],
        tile=tile,
        tail=tail,
        registers=_field(usage, "REG"),
        stack_bytes=_field(usage, "STACK"),
        spill_store_bytes=_local_bytes(sass, "STL"),
        spill_load_bytes=_local_bytes(sass, "LDL"),
        shared_bytes=compiled.metadata.shared,
        wgmma_count=_count(sass, "HGMMA"),
        mma_count=_count(sass, "HMMA"),
        exp2_count=_count(sass, "MUFU.EX2"),
    )


def _compile(tile: Tile, arch: int, element: str, tail: int) -> Any:
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from .flash import attention_fwd_kernel as kernel

    if not isinstance(kernel, triton.JITFunction):
        raise RuntimeError("triton interprets its kernels here; unset TRITON_INTERPRET to compile")
    constants = {
        "D": HEAD_DIM,
        "BM": tile.block_q,
        "BN": tile.block_kv,
        "TAIL": tail,
    }
    arguments = {name: "constexpr" if name in constants else "i32" for name in kernel.arg_names}
    arguments |= {"qkv": f"*{element}", "out": f"*{element}"}
    # What the launcher finds at run time in a contiguous projection: all are multiples of 64.
    aligned = ("qkv", "out", "stride_b", "stride_n", "stride_3", "stride_a")
    source = ASTSource(
        fn=kernel,
        signature=arguments,
        constexprs={(kernel.arg_names.index(name),): value for name, value in constants.items()},
        attrs={(kernel.arg_names.index(name),): [["tt.divisibility", 16]] for name in aligned},
    )
    options = {
        "num_warps": tile.num_warps,
        "num_stages": tile.num_stages,
        "enable_fp_fusion": True,
    }
    return triton.compile(source, target=GPUTarget("cuda", arch, 32), options=options)


def _run_tool(name: str, *arguments: str | Path) -> str:
    from triton import knobs

    tool = getattr(knobs.nvidia, name).path
    done = subprocess.run([tool, *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def _field(usage: str, name: str) -> int:
    found = re.search(rf"\b{name}:(\d+)", usage)
    if found is None:
        raise RuntimeError(f"cuobjdump reports no {name}: {usage.strip()!r}")
    return int(found[1])


def _count(sass: str, opcode: str) -> int:
    return len(re.findall(rf"\b{re.escape(opcode)}\b", sass))


def _local_bytes(sass: str, opcode: str) -> int:
    widths = re.findall(rf"\b{opcode}(?:\.(?:LU|EL|EF|E))*(?:\.([US]?\d+))?\b", sass)
    return sum(int(width.strip("US") or 32) // 8 for width in widths)
