"""Prints what each row of the tile table costs when compiled: the table in docs/attention.md.

    python -m benchmarks.aot_table

Needs no GPU. Registers are given as a range over dtypes and tail widths.
"""

import triton

from kernels.aot import ELEMENT_NAMES, KernelReport
from kernels.flash_variants import flash_report, variants
from kernels.tiles import TileRow

ARCHITECTURES = (90, 80)


def reports_by_row(arch: int) -> dict[TileRow, list[KernelReport]]:
    """Compile every variant of an architecture."""
    reports: dict[TileRow, list[KernelReport]] = {}
    for row, dtype, tail in variants(arch):
        report = flash_report(row.tile, arch=arch, dtype=dtype, tail=tail)
        reports.setdefault(row, []).append(report)
    return reports


def describe(row: TileRow, reports: list[KernelReport]) -> str:
    """One line of the Markdown table."""
    tile = row.tile
    registers = sorted(report.registers for report in reports)
    products = next(name for name in ("HGMMA", "HMMA", "FFMA") if reports[0].count(name))
    names = (ELEMENT_NAMES[dtype] for dtype in ELEMENT_NAMES if dtype.itemsize == row.element_bytes)
    cells = (
        f"sm_{row.arch}",
        "/".join(sorted(names)),
        f"N <= {row.max_tokens}" if row.max_tokens else "any other N",
        f"{tile.block_q}x{tile.block_kv}",
        str(tile.num_warps),
        str(tile.num_stages),
        f"{registers[0]}-{registers[-1]}",
        f"{max(report.shared_bytes for report in reports) / 1024:g}",
        str(max(report.spill_bytes for report in reports)),
        str(max(report.stack_bytes for report in reports)),
        products,
        str(len(reports)),
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Compile the whole table and print it."""
    header = "arch | dtype | tokens | tile | warps | stages | registers | shared KiB"
    header += " | spill B | stack B | products | variants"
    print(f"triton {triton.__version__}\n\n| {header} |\n|{'---|' * 12}")
    for arch in ARCHITECTURES:
        for row, reports in reports_by_row(arch).items():
            print(describe(row, reports))


if __name__ == "__main__":
    main()
