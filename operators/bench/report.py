"""The report of `bench backbone` as text, in Markdown so that a log can take it over.

JSON values in -> lines out. Computes nothing but medians.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from kernels.bench.table import table
from operators.bench.table import figure_lines, origin_lines


def backbone_report_lines(report: Mapping[str, Any]) -> list[str]:
    """The whole report.

    Args:
        report: from `operators.bench.backbone.measure`.
    """
    lines = [*origin_lines(report), f"{report['model']}, seeded weights, {report['device']}"]
    for task in report["tasks"]:
        lines += ["", *_task(task)]
    return lines


def _task(task: Mapping[str, Any]) -> Iterator[str]:
    rates = ", ".join(
        f"{dtype.removeprefix('torch.')} {rate:.0f}"
        for dtype, rate in task["matrix_gflop_per_s"].items()
    )
    yield f"{task['name']} (side x batch); large matrix products, GFLOP/s: {rates}"
    for name, why in task["absent"].items():
        yield f"not here: {name}: {why}"
    yield "gate green: every token is the plain float32 model's, within rounding"
    yield ""
    yield from _contestants(task)
    yield ""
    figures = [*task["ratios"], *task["shares"]]
    aimed = [one for one in figures if one["goal"] is not None]
    yield from figure_lines(aimed or task["ratios"])


def _contestants(task: Mapping[str, Any]) -> list[str]:
    shares = {one["name"].partition(": ")[2]: one for one in task["shares"]}
    header = ["", "ms", "rounds", "frames/s", "of the matrix rate", "least cosine"]
    return table(
        header,
        [
            [
                name,
                f"{median(seconds) * 1e3:.1f}",
                f"{min(seconds) * 1e3:.1f} .. {max(seconds) * 1e3:.1f}",
                f"{task['batch'] / median(seconds):.2f}",
                f"{shares[name]['median']:.2f}",
                f"{task['least_cosine'][name]:.5f}",
            ]
            for name, seconds in task["seconds"].items()
        ],
    )
