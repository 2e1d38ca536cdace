"""A benchmark's report as text, in Markdown so that a log can take it over.

JSON values in -> lines out. Computes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kernels.bench.table import table
from operators.bench.table import figure_lines, origin_lines
from pipeline.bench.task import CONTENDERS

_COLUMNS = (
    "time",
    "rate",
    "CPU",
    "batches",
    "start to first record",
    "peak memory",
    "decode process",
)


def report_lines(report: Mapping[str, Any]) -> list[str]:
    """The whole report.

    Args:
        report: from `pipeline.bench.replay.measure`.
    """
    lines = origin_lines(report)
    for shape in report["shapes"]:
        lines += ["", *_shape(shape), "", *figure_lines(shape["figures"])]
    if report["memory"]:
        lines += ["", *figure_lines(report["memory"])]
    return lines


def _shape(shape: Mapping[str, Any]) -> list[str]:
    workload = shape["workload"]
    width, height = workload["size_wh"]
    job = (
        f"{workload['name']}: {width}x{height}, {workload['seconds']:g} s, {workload['fps']:g} fps "
        f"sampled ({shape['frames']} frames), {workload['model']}, short side "
        f"{workload['short_side']}, batch {workload['batch_size']}, {workload['threads']} threads"
    )
    units = {
        one["name"]: one["unit"] for figures in shape["contenders"].values() for one in figures
    }
    columns = [name for name in _COLUMNS if name in units]
    header = ["contender", *(", ".join(filter(None, (name, units[name]))) for name in columns)]
    rows = []
    for contender, figures in shape["contenders"].items():
        medians = {one["name"]: f"{one['median']:.2f}" for one in figures}
        rows.append([CONTENDERS[contender], *(medians.get(name, "") for name in columns)])
    gate = "; ".join(
        f"{runtime}: cosine {one['cosine']:.4f}, depth {one['correlation']:.4f}, "
        f"cells {one['cells']:.3f}, scores {one['score']:.3f}"
        for runtime, one in shape["gate"].items()
    )
    return [job, f"gate green against the plain loop: {gate}", "", *table(header, rows)]
