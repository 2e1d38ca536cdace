"""Prints what each row of the tile tables costs when compiled, for attention and its gradient.

    python -m benchmarks.aot_table

The tables in docs/attention.md and docs/attention-backward.md. Needs no GPU. Registers are given as
a range over the row's variants, instructions per score as the main loop has them.
"""

import triton

from kernels.aot import KernelReport, count
from kernels.backward_tiles import TABLES
from kernels.bench.attention_gate import HEAD_DIM
from kernels.bench.compiled import DTYPES
from kernels.flash_variants import backward_report, flash_report, variants
from kernels.tiles import TILE_TABLE, TileRow, Variant

ARCHITECTURES = (90, 80)


def reports_by_row(arch: int, rows: str) -> dict[TileRow, dict[Variant, KernelReport]]:
    """Compile every variant of an architecture, 16-bit ones for bfloat16.

    Args:
        arch: 80 or 90.
        rows: what programs of a pass of the gradient own, "queries" or "keys"; else attention's own
            kernel, "forward" or, as training has it, "packed".
    """
    reports: dict[TileRow, dict[Variant, KernelReport]] = {}
    for row, variant in variants(arch, HEAD_DIM, TABLES.get(rows, TILE_TABLE)):
        dtype = DTYPES[row.element_bytes]
        if rows in TABLES:
            report = backward_report(rows, variant, arch=arch, dtype=dtype)
        else:
            report = flash_report(variant, arch=arch, dtype=dtype, packed=rows == "packed")
        reports.setdefault(row, {})[variant] = report
    return reports


def issued_per_score(variant: Variant, report: KernelReport) -> float:
    """Instructions that one thread issues in the main loop for each of its scores."""
    tile = variant.tile
    scores = tile.block_q * tile.block_kv / (32 * tile.num_warps)
    # The main loop is the one with the most exponentials; query tails have one of their own.
    loop = max(report.loops, key=lambda loop: count(loop, "MUFU.EX2"))
    return sum(loop.values()) / scores


def describe(row: TileRow, reports: dict[Variant, KernelReport]) -> str:
    """One line of the Markdown table."""
    tile = row.tile
    registers = sorted(report.registers for report in reports.values())
    issued = max(issued_per_score(v, r) for v, r in reports.items() if v.full)
    first = next(iter(reports.values()))
    products = next(name for name in ("HGMMA", "HMMA", "FFMA") if first.count(name))
    cells = (
        f"sm_{row.arch}",
        "fp32" if row.element_bytes == 4 else "bf16/fp16",
        f"N <= {row.max_tokens}" if row.max_tokens else "any other N",
        f"{tile.block_q}x{tile.block_kv}",
        str(tile.num_warps),
        str(tile.num_stages),
        f"{registers[0]}-{registers[-1]}",
        f"{max(report.shared_bytes for report in reports.values()) / 1024:g}",
        str(max(report.spill_bytes for report in reports.values())),
        products,
        f"{issued:.1f}",
        str(len(reports)),
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Compile all tables and print them."""
    header = "arch | dtype | tokens | tile | warps | stages | registers | shared KiB"
    header += " | spill B | products | issued per score | variants"
    print(f"triton {triton.__version__}")
    for rows in ("forward", "packed", *TABLES):
        print(f"\n{rows}\n\n| {header} |\n|{'---|' * 12}")
        for arch in ARCHITECTURES:
            for row, reports in reports_by_row(arch, rows).items():
                print(describe(row, reports), flush=True)


if __name__ == "__main__":
    main()
