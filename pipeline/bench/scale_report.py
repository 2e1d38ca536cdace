"""The report of `bench scale` as text, in Markdown so that a log can take it over.

JSON values in -> lines out. Computes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kernels.bench.table import table
from operators.bench.table import figure_lines, origin_lines

_COLUMNS = {
    "rate": "frames/s",
    "dropped": "dropped",
    "latency": "latency, s",
    "CPU": "CPU, ms per frame",
    "CPU of driver": "driver",
    "CPU of engine": "engine",
    "CPU of decode": "decode actors",
    "CPU of store": "object store",
    "CPU of sink": "sink",
    "CPU of ray": "rest of Ray",
    "memory": "memory, MiB",
    "object store": "store, MiB",
}


def scale_report_lines(report: Mapping[str, Any]) -> list[str]:
    """The whole report.

    Args:
        report: from `pipeline.bench.scale.measure`.
    """
    workload = report["workload"]
    job = (
        f"{workload['fps']:g} frames per second of {workload['short_side']} px in all, for "
        f"{workload['seconds']:g} s, into {workload['sink']}; a frame is a chunk and a commit"
    )
    lines = [*origin_lines(report), "", job, "", *_cells(report), *_behind(report)]
    return [*lines, "", *figure_lines(report["figures"])] if report["figures"] else lines


def _behind(report: Mapping[str, Any]) -> list[str]:
    behind = [
        f"{cell['runtime']} with {cell['streams']} ({cell['kept_up'].count(False)} of "
        f"{len(cell['kept_up'])} rounds)"
        for cell in report["cells"]
        if not all(cell["kept_up"])
    ]
    if not behind:
        return []
    return ["", f"did not keep up, and those rounds are in no figure below: {', '.join(behind)}"]


def _cells(report: Mapping[str, Any]) -> list[str]:
    cells = [
        (cell, {one["name"]: f"{one['median']:.2f}" for one in cell["figures"]})
        for cell in report["cells"]
    ]
    there = [name for name in _COLUMNS if any(name in medians for _, medians in cells)]
    rows = [
        [cell["runtime"], str(cell["streams"]), *(medians.get(name, "") for name in there)]
        for cell, medians in cells
    ]
    return table(["runtime", "streams", *(_COLUMNS[name] for name in there)], rows)
