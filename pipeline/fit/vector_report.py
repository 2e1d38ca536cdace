"""What a fit of a vector head did, for a person and for a script. Report in -> text out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.fit.fitting import FitReport

_SHOWN = 5  # of what was tried


def report_json(report: FitReport) -> dict[str, Any]:
    """As JSON values."""
    scores = report.fit.quality.scores
    return {
        "file": None if report.path is None else str(report.path),
        "sha256": report.sha256,
        "notes": list(report.notes),
        **report.facts,
        "confusion": scores.confusion.tolist(),
        "tried": [{"what": name, "validation": accuracy} for name, accuracy in report.fit.tried],
    }


def report_lines(report: FitReport) -> list[str]:
    """As lines."""
    metrics = report.facts["metrics"]
    tried = sorted(report.fit.tried, key=lambda one: -one[1])[:_SHOWN]
    lines = [
        *report.notes,
        f"tried {len(report.fit.tried)}, mean class accuracy on validation:",
        *(f"{100 * accuracy:9.1f} %  {name}" for name, accuracy in tried),
        f"chosen: {report.facts['trained']['chosen']}",
        f"measured on {metrics['measured_on']}:",
        *(
            f"{name:>21}  {_said(value)}"
            for name, value in metrics.items()
            if name != "measured_on"
        ),
        *_confusion(report),
    ]
    if report.path is None:
        return lines
    use = f"use it with --head {report.operator}={report.path}"
    return [*lines, f"wrote {report.path}: {use}"]


def _said(value: float | Mapping[str, float | None]) -> str:
    if not isinstance(value, Mapping):
        return f"{value:.3f}"
    number, low, high = (value[key] for key in ("value", "low", "high"))
    text = "unknown" if number is None else f"{number:.3f}"
    return text if low is None or high is None else f"{text}  (95 %: {low:.3f} to {high:.3f})"


def _confusion(report: FitReport) -> list[str]:
    """Rows truth, columns answer."""
    labels = report.facts["labels"]
    counts = report.fit.quality.scores.confusion
    wide = max(5, *(len(str(count)) + 1 for count in counts.ravel()))
    room = max(len(label) for label in labels)
    heading = "".join(f"{f'#{number}':>{wide}}" for number in range(len(labels)))
    rows = [
        f"  #{number:<3} {label:<{room}}" + "".join(f"{count:>{wide}}" for count in row)
        for number, (label, row) in enumerate(zip(labels, counts, strict=True))
    ]
    return ["answers, a row per true class:", " " * (room + 7) + heading, *rows]
