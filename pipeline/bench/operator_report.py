"""The report of `bench operators` as text, in Markdown so that a log can take it over.

JSON values in -> lines out. Computes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kernels.bench.table import table
from operators.bench.table import figure_lines, origin_lines
from pipeline.bench.shares import CPU, SHARE, TIME


def operator_report_lines(report: Mapping[str, Any]) -> list[str]:
    """The whole report.

    Args:
        report: from `pipeline.bench.operators.measure`.
    """
    return [
        *origin_lines(report),
        "",
        _job(report),
        f"gate green: results of {report['rounds'] + 1} rounds are finite and the same",
        "",
        *_contenders(report),
        "",
        *figure_lines(report["figures"]),
    ]


def _job(report: Mapping[str, Any]) -> str:
    workload = report["workload"]
    height, width = report["model_hw"]
    return (
        f"{report['frames']} frames of {width}x{height}, {workload['model']}, random weights, "
        f"{workload['device']} {workload['dtype'].removeprefix('torch.')}, "
        f"batch {workload['batch_size']}, threads {workload['threads']}"
    )


def _contenders(report: Mapping[str, Any]) -> list[str]:
    rows = [
        _row(name, figures, report["gate"].get(name))
        for name, figures in report["contenders"].items()
    ]
    header = ["", "ms per frame", "rounds", "CPU, ms per frame", "% of the backbone", "records"]
    return table(header, rows)


def _row(
    name: str, figures: Sequence[Mapping[str, Any]], gate: Mapping[str, Any] | None
) -> list[str]:
    own = {one["name"]: one for one in figures}
    values = own[TIME]["values"]
    return [
        name,
        f"{own[TIME]['median']:.2f}",
        f"{min(values):.2f} .. {max(values):.2f}",
        f"{own[CPU]['median']:.2f}",
        f"{own[SHARE]['median']:.2f}" if SHARE in own else "",
        str(gate["records"]) if gate else "",
    ]
