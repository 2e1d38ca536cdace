"""A benchmark's report as text, in Markdown so that a log can take it over.

JSON values in -> lines out. Computes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.bench.task import CONTENDERS

_MARKS = {True: "yes", False: "NO", None: ""}
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


def origin_lines(report: Mapping[str, Any]) -> list[str]:
    """Commit, machine, versions, load, rounds: what `pipeline.bench.provenance` told."""
    machine = report["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in report["versions"].items())
    return [
        f"commit {report['commit']}, {report['date']}",
        f"{machine['cpu']}, {machine['cores']} cores: {' '.join(machine['features'])}",
        f"Python {report['python']}, {versions}",
        f"load {report['load'][0]} before, {report['load_after'][0]} after; "
        f"medians of {report['rounds']} interleaved rounds",
    ]


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


def figure_lines(figures: Sequence[Mapping[str, Any]]) -> list[str]:
    """A table of `pipeline.bench.figures.Figure`s as JSON, with their goals."""
    rows = [
        [
            one["name"],
            f"{one['median']:.2f} {one['unit']}",
            f"{min(one['values']):.2f} .. {max(one['values']):.2f}",
            _goal(one),
            _MARKS[one["met"]],
        ]
        for one in figures
    ]
    return table(["figure", "median", "rounds", "goal", "met"], rows)


def _goal(figure: Mapping[str, Any]) -> str:
    if figure["goal"] is None:
        return ""
    return f"{'>=' if figure['at_least'] else '<='} {figure['goal']:g}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table whose columns stand under each other."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        return f"| {' | '.join(padded)} |"

    rule = f"|{'|'.join('-' * (width + 2) for width in widths)}|"
    return [line(header), rule, *map(line, rows)]
