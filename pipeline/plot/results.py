"""A benchmark's report -> one sheet: medians and ranges of its rounds, beside goals and peers.

JSON values in -> an SVG document out. Computes nothing but medians.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path
from statistics import median
from typing import Any

from operators.errors import UsageError
from pipeline.client.fault import FAULTS, told
from pipeline.drawing.palette import CLASS_COLOURS, NOTHING
from pipeline.plot.bars import Bar, Bars, Part
from pipeline.plot.sheet import sheet

Report = Mapping[str, Any]
Figure = Mapping[str, Any]

_OURS, _PEER = CLASS_COLOURS[0], NOTHING
_UNITS = {"x": "times", "": "number"}
_MARKS = {True: "met", False: "NOT MET", None: "not tried"}
_LEGEND = (
    "Bars: medians of the rounds. Thin lines: the rounds' range, of kernels without the outer "
    "tenths. Dashed: a goal."
)


def results_sheet(path: Path) -> str:
    """One SVG document of a file that `dinostream bench ... --out` has written.

    Raises:
        UsageError: it cannot be read, is no such report, or has no figures.
    """
    report = _read(path)
    try:
        panels = [panel for panel in _KINDS[report["benchmark"]](report) if panel.rows]
        facts = [*_origin(report.get("origin", report)), _LEGEND]
        document = sheet(f"dinostream bench {report['benchmark']}", facts, panels)
    except FAULTS as error:
        raise UsageError(f"{path}: the report is broken: {told(error)}") from error
    if not panels:
        raise UsageError(
            f"{path}: the report has no figures: its gate was red, or nothing was timed"
        )
    return document


def _read(path: Path) -> Report:
    try:
        report: Report = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no JSON"
        sinks = "a sink is sqlite:PATH or kafka://HOST:PORT"
        raise UsageError(f"{path} cannot be read as a report: {why}; {sinks}") from error
    kind = report.get("benchmark") if isinstance(report, Mapping) else None
    if not isinstance(kind, str) or kind not in _KINDS:
        raise UsageError(
            f"{path} is no report of a benchmark that can be drawn: its `benchmark` is {kind!r}; "
            f"there are: {', '.join(_KINDS)}"
        )
    return report


def _origin(report: Report) -> list[str]:
    machine = report.get("machine") or {"cpu": report.get("gpu") or "no GPU"}
    cores = f", {machine['cores']} cores" if "cores" in machine else ""
    return [f"{report['date'][:10]}, commit {report['commit']}, {machine['cpu']}{cores}."]


def _replay(report: Report) -> Iterator[Bars]:
    for shape in report["shapes"]:
        name = shape["workload"]["name"]
        rows = _flat(shape["contenders"])
        yield from _by_name(name, rows, lambda contender: contender in ("inline", "ray"))
        yield from _by_unit(f"{name}: beside the goals", shape["figures"])


def _operators(report: Report) -> Iterator[Bars]:
    rows = _flat(report["contenders"])
    yield from _by_name(report["workload"]["model"], rows, lambda name: name != "backbone")
    yield from _by_unit("Beside the backbone", report["figures"])


def _scale(report: Report) -> Iterator[Bars]:
    rows = [
        (f"{cell['runtime']}, {_streams(cell['streams'])}", figure)
        for cell in report["cells"]
        for figure in cell["figures"]
    ]
    yield from _by_name("Scale", rows, lambda _: True)
    yield from _by_unit("Beside the goals", report["figures"])


def _records(report: Report) -> Iterator[Bars]:
    yield from _by_unit("CPU time", report["figures"])


def _backbone(report: Report) -> Iterator[Bars]:
    for task in report["tasks"]:
        title = f"{report['model']}, {task['name']} (side x batch)"
        rows = [
            _bar(name, [1e3 * one for one in seconds], "ms", ours=name.startswith("ours"))
            for name, seconds in task["seconds"].items()
        ]
        yield _panel(title, "ms per batch", rows, wide=True)
        aimed = [
            {**one, "name": one["name"].removeprefix(f"{task['name']}: ")}
            for one in task["ratios"]
            if one["goal"] is not None
        ]
        yield from _by_unit(f"{task['name']}: how many times as fast", aimed)


def _kernels(report: Report) -> Iterator[Bars]:
    for row in report.get("rows", ()):
        rows = [
            _bar(name, [one["p10"], one["median"], one["p90"]], "us", ours=name == "triton")
            for name, one in row["us"].items()
        ]
        yield _panel(f"{row['workload']}, {row['dtype']}", "us per call", rows)


_KINDS: Mapping[str, Callable[[Report], Iterable[Bars]]] = {
    "replay": _replay,
    "backbone": _backbone,
    "operators": _operators,
    "records": _records,
    "kernels": _kernels,
    "scale": _scale,
}


def _streams(number: int) -> str:
    return "1 stream" if number == 1 else f"{number} streams"


def _flat(contenders: Mapping[str, Sequence[Figure]]) -> list[tuple[str, Figure]]:
    return [(name, figure) for name, figures in contenders.items() for figure in figures]


def _by_name(
    title: str, rows: Sequence[tuple[str, Figure]], is_ours: Callable[[str], bool]
) -> Iterator[Bars]:
    """A panel for each figure that contenders have, and a row for each of them."""
    for name, unit in dict.fromkeys((one["name"], one["unit"]) for _, one in rows):
        bars = [
            _bar(who, one["values"], unit, ours=is_ours(who))
            for who, one in rows
            if (one["name"], one["unit"]) == (name, unit)
        ]
        yield _panel(f"{title}: {name}", unit, bars)


def _by_unit(title: str, figures: Sequence[Figure]) -> Iterator[Bars]:
    """A panel for each unit: numbers of one scale."""
    for unit in dict.fromkeys(one["unit"] for one in figures):
        alike = [one for one in figures if one["unit"] == unit]
        bars = [_bar(one["name"], one["values"], unit, ours=True, figure=one) for one in alike]
        yield _panel(title, unit, bars, wide=True)


def _panel(title: str, unit: str, rows: Sequence[Bar], *, wide: bool = False) -> Bars:
    there = {part.colour for row in rows for part in row.parts}
    legend = [("ours", _OURS), ("beside it", _PEER)] if len(there) > 1 else []
    return Bars(title, _UNITS.get(unit, unit), rows, legend, wide=wide)


def _bar(
    name: str, values: Sequence[float], unit: str, *, ours: bool, figure: Figure | None = None
) -> Bar:
    goal = figure["goal"] if figure else None
    if not all(map(isfinite, [*values, goal or 0])):
        raise ValueError(f"{name}: {values}, goal {goal}: not all are numbers")
    said = f"{median(values):.4g}{'x' if unit == 'x' else f' {unit}'}".rstrip()
    if figure and goal is not None:
        bound = "at least" if figure["at_least"] else "at most"
        said += f" (goal: {bound} {goal:g}, {_MARKS[figure['met']]})"
    part = Part(median(values), _OURS if ours else _PEER, name)
    if len(values) == 1:
        return Bar(name, [part], said, goal=goal)
    return Bar(name, [part], said, min(values), max(values), goal)
