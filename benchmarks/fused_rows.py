"""Prints what a card's run says of the fused kernels, as rows of `fused_choice.MEASURED`.

    python -m benchmarks.fused_rows results/gpu-2026-12-01.json

In: a results file of `benchmarks/gpu.sh`, or a report of `dinostream bench kernels`. A kernel's
ratio is the least over its shapes: one that loses at any of them does not run.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kernels.bench.goals import OURS
from operators.backbones.engines.fused_choice import MOVED

PLAIN = "eager"


def rows(report: Mapping[str, Any]) -> Iterator[str]:
    """Lines of the table.

    Args:
        report: of the kernels' benchmark, on a card.
    """
    origin = report["origin"]
    major, minor = map(int, origin["compute_capability"].split("."))
    on = origin["date"][:10]
    for kernel in MOVED:
        own = [row for row in report["rows"] if row["workload"].split()[0] == kernel]
        ratios = [
            row["us"][PLAIN]["median"] / row["us"][OURS]["median"]
            for row in own
            if {OURS, PLAIN} <= set(row["us"])
        ]
        if ratios:
            yield f'    ({10 * major + minor}, "{kernel}"): Measured({min(ratios):.2f}, "{on}"),'


def main() -> int:
    """Print them; the exit code."""
    if len(sys.argv) != 2:
        print((__doc__ or "").strip(), file=sys.stderr)
        return 2
    results = json.loads(Path(sys.argv[1]).read_text())
    report = results["parts"]["fused"].get("report") if "parts" in results else results
    if not report or not report.get("rows"):
        print(f"{sys.argv[1]}: no card has timed fused kernels there", file=sys.stderr)
        return 1
    print("\n".join(rows(report)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
