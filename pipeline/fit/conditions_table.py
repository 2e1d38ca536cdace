"""A head under conditions as one table of Markdown: a row per condition, and what it costs.

Measured in -> lines out, padded so that a terminal shows it as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from operators.learn.estimate import Estimate
from pipeline.fit.evaluation import Evaluation

# Of each task the numbers that a reader looks for; the JSON holds all of them.
_DECIDING = {
    "segmentation": {"miou": "mIoU", "pixel_accuracy": "pixels right"},
    "depth": {"abs_rel": "AbsRel", "delta1": "delta1"},
}


def conditions_table(evaluation: Evaluation) -> list[str]:
    """
    Args:
        evaluation: of a head of maps, with conditions.

    Returns:
        Lines: the head, the pictures as they are, one line per condition, last the constant
        answer, whose truths are the same everywhere.
    """
    titles = _DECIDING[evaluation.task]
    head = ["condition", *(text for title in titles.values() for text in (title, "change"))]
    rows = [["as it is", *_cells(titles, evaluation.estimates, {})]]
    rows += [
        [str(one.condition), *_cells(titles, one.estimates, one.changes)]
        for one in evaluation.conditions
    ]
    rows.append(["constant answer", *_cells(titles, evaluation.constant, {})])
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = "|" + "".join("-" * (width + 2) + "|" for width in widths)
    return [_line(head, widths), rule, *(_line(row, widths) for row in rows)]


def _cells(
    names: Mapping[str, str], estimates: Mapping[str, Estimate], changes: Mapping[str, Estimate]
) -> list[str]:
    return [
        text
        for name in names
        for text in (_said(estimates[name], ""), _said(changes[name], "+") if changes else "")
    ]


def _said(number: Estimate, sign: str) -> str:
    value = f"{number.value:{sign}z.3f}"
    if number.low is None or number.high is None:
        return value
    return f"{value} ({number.low:{sign}z.3f} to {number.high:{sign}z.3f})"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (f" {cell:<{width}} |" for cell, width in zip(cells, widths, strict=True))
    return "|" + "".join(padded)
