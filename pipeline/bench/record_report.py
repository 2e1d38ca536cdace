"""The report of `bench records` as text, in Markdown so that a log can take it over.

JSON values in -> lines out. Computes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kernels.bench.table import table
from operators.bench.table import figure_lines, origin_lines


def record_report_lines(report: Mapping[str, Any]) -> list[str]:
    """The whole report.

    Args:
        report: from `pipeline.bench.records.measure`.
    """
    height, width = report["model_hw"]
    rows = [
        [topic, str(one["records"]), f"{one['bytes']:.0f}"]
        for topics in report["records"].values()
        for topic, one in topics.items()
    ]
    return [
        *origin_lines(report),
        "",
        f"{report['frames']} frames of {width}x{height}, the weights that ship, CPU time",
        f"gate green: records of {report['rounds'] + 1} rounds are the same",
        "",
        *table(["topic", "records", "bytes each"], rows),
        "",
        *figure_lines(report["figures"]),
    ]
