"""The report as text, in Markdown so that a log can take it over, and as a file.

JSON values in -> lines out. Computes nothing.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .goals import OURS
from .table import table

_MARKS = {True: "met", False: "NOT MET", None: "not tried"}


def report_lines(report: Mapping[str, Any]) -> list[str]:
    """The whole report.

    Args:
        report: from `benchmark.measure`.
    """
    lines = _origin(report["origin"])
    if "gate" in report:
        lines += _gate(report["gate"])
    if "rows" in report:
        lines += ["", f"Medians of {report['rounds']} interleaved rounds.", "", *_races(report)]
    if "compiled" in report:
        lines += ["", report["said"], *_compiled(report)]
    return lines


def keep_report(report: Mapping[str, Any] | Sequence[Any], path: Path) -> None:
    """Write the report as JSON; whoever reads meanwhile finds the one before.

    Args:
        report: JSON values.
        path: its folder is made where it is missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.part")
    draft.write_text(json.dumps(report, indent=1) + "\n")
    draft.replace(path)


def _origin(origin: Mapping[str, Any]) -> list[str]:
    versions = f"Python {origin['python']}, torch {origin['torch']}, triton {origin['triton']}"
    lines = [
        f"commit {origin['commit']} (kernels {origin['sources']}), {origin['date']}",
        versions,
    ]
    if origin["gpu"] is None:
        return lines
    lines[1] += f", CUDA {origin['cuda']}, cuDNN {origin['cudnn']}"
    card = origin["card"] or {}
    said = ", ".join(f"{name} {value}" for name, value in card.items()) or "no nvidia-smi"
    return [*lines, f"{origin['gpu']}, {origin['multiprocessors']} multiprocessors; {said}"]


def _gate(checks: Sequence[Mapping[str, Any]]) -> list[str]:
    red = [check for check in checks if not check["passed"]]
    if not red:
        return [f"gate green: {len(checks)} checks"]
    failed = [f"FAILED {json.dumps(check)}" for check in red]
    return [f"gate RED: {len(red)} of {len(checks)} checks failed, so no figures", *failed]


def _races(report: Mapping[str, Any]) -> list[str]:
    """A table per part: their units and peers differ."""
    lines: list[str] = []
    for unit in dict.fromkeys(row["unit"] for row in report["rows"]):
        rows = [row for row in report["rows"] if row["unit"] == unit]
        peers = list(dict.fromkeys(one["beside"] for row in rows for one in row["figures"][1:]))
        header = ["workload", "dtype", f"{OURS}, us", unit, *peers, "clock"]
        lines += [*table(header, [_race(row, peers) for row in rows]), ""]
        lines += [f"- {line}" for line in _absent(rows)]
    figures = [one for row in report["rows"] for one in row["figures"] if one["goal"] is not None]
    met = sum(one["met"] is True for one in figures)
    return [*lines, f"goals: {met} of {len(figures)} met"]


def _race(row: Mapping[str, Any], peers: Sequence[str]) -> list[str]:
    rate, *others = row["figures"]
    beside = {one["beside"]: one for one in others}
    ours = f"{row['us'][OURS]['median']:.1f}" if OURS in row["us"] else ""
    cells = [_ratio(row, beside.get(peer)) for peer in peers]
    own_rate = _value(rate, "{:.0f}")
    clock = (row["clocks"] or {}).get("clocks.sm", "")
    return [row["workload"], row["dtype"], ours, own_rate, *cells, clock]


def _ratio(row: Mapping[str, Any], one: Mapping[str, Any] | None) -> str:
    if one is None:
        return ""
    theirs = row["us"].get(one["beside"])
    time = "" if theirs is None else f"{theirs['median']:.1f} us, "
    return time + _value(one, "{:.2f}x")


def _value(one: Mapping[str, Any], form: str) -> str:
    said = "" if one["value"] is None else form.format(one["value"])
    if one["goal"] is None:
        return said
    return f"{said} (>= {one['goal']:g}: {_MARKS[one['met']]})".strip()


def _absent(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Who was not there, once with each reason."""
    return list(dict.fromkeys(f"{n}: {why}" for row in rows for n, why in row["absent"].items()))


def _compiled(report: Mapping[str, Any]) -> list[str]:
    rows = report["compiled"]
    if not rows:
        return []
    header = ["kernel", "dtype", "N", "variant", "warps", "registers", "spill B", "shared B"]
    header += ["instructions", "wgmma", "MUFU.EX2 for scores", "sound"]
    sound = sum(row["sound"] for row in rows)
    said = f"Compiled for {report['compiled_for']}: {sound} of {len(rows)} variants are sound "
    said += "(no spills, shared memory within the limit, wgmma, one exponential per score)."
    return ["", said, "", *table(header, [_costs(row) for row in rows])]


def _costs(row: Mapping[str, Any]) -> list[str]:
    exponentials = row["exponentials_for_scores"]
    names = ("kernel", "dtype", "tokens", "variant", "warps", "registers", "spill_bytes")
    return [
        *(str(row[name]) for name in (*names, "shared_bytes", "instructions")),
        str(row["wgmma"] or ""),
        "" if exponentials is None else f"{exponentials} for {row['scores_in_loop']}",
        "yes" if row["sound"] else "NO",
    ]
