"""Prints what each fused kernel costs when compiled: the table in docs/kernels.md.

    python -m benchmarks.fused_table

Needs no GPU. Each cell names sm_80, sm_90 and sm_100, once where they agree.
"""

import torch
import triton

from kernels.aot import KernelReport
from kernels.fused_variants import VARIANTS, fused_report

ARCHITECTURES = (80, 90, 100)


def describe(kernel: str, size: int, reports: list[KernelReport]) -> str:
    """One line of the Markdown table."""
    columns = (
        [report.num_warps for report in reports],
        [report.registers for report in reports],
        [report.shared_bytes for report in reports],
        [report.spill_bytes for report in reports],
        [sum(report.opcodes.values()) for report in reports],
        [report.count("BAR") for report in reports],
    )
    cells = (", ".join(map(str, dict.fromkeys(column))) for column in columns)
    return f"| {kernel} | {size or ''} | {' | '.join(cells)} |"


def main() -> None:
    """Compile everything in bfloat16 and print it."""
    header = "kernel | D or T | warps | registers | shared B | spill B | instructions | barriers"
    print(f"triton {triton.__version__}\n\n| {header} |\n|{'---|' * 8}")
    for kernel, size in VARIANTS:
        reports = [
            fused_report(kernel, size, arch=arch, dtype=torch.bfloat16) for arch in ARCHITECTURES
        ]
        print(describe(kernel, size, reports), flush=True)


if __name__ == "__main__":
    main()
