"""What every report of a benchmark has: where it comes from, and figures with their goals.

JSON values in -> lines of Markdown out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kernels.bench.table import table

_MARKS = {True: "yes", False: "NO", None: ""}


def origin_lines(report: Mapping[str, Any]) -> list[str]:
    """Commit, machine, versions, load, rounds: what `operators.bench.provenance` told."""
    machine = report["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in report["versions"].items())
    return [
        f"commit {report['commit']}, {report['date']}",
        f"{machine['cpu']}, {machine['cores']} cores: {' '.join(machine['features'])}",
        f"Python {report['python']}, {versions}",
        f"load {report['load'][0]} before, {report['load_after'][0]} after; "
        f"medians of {report['rounds']} interleaved rounds",
    ]


def figure_lines(figures: Sequence[Mapping[str, Any]]) -> list[str]:
    """A table of `operators.bench.figure.Figure`s as JSON, with their goals."""
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
