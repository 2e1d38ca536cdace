"""A comparison as one table of Markdown: a row per contender, a column per number that decides.

Measured in -> text out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from operators.learn.estimate import Estimate
from operators.whole_file import whole_file
from pipeline.errors import SinkError
from pipeline.fit.compare import Measured

# Of each task the numbers that a reader looks for; the JSON holds all of them.
_DECIDING = {
    "segmentation": {"miou": "mIoU"},
    "depth": {"abs_rel": "AbsRel", "delta1": "delta1"},
    "action": {"top1": "top-1"},
    "classify": {"top1": "top-1"},
}


def comparison_table(measured: Sequence[Measured]) -> list[str]:
    """
    Args:
        measured: the contenders, of one trial.

    Returns:
        Lines: the head, one per contender, and last the constant answers.
    """
    columns = list(_columns(measured[0]))
    head = ["backbone", "weights", "width", "patch", *(title for _, _, title in columns)]
    rows = [
        [
            one.architecture.name,
            "random" if one.untrained else Path(one.source).name,
            str(one.architecture.width),
            str(one.architecture.patch),
            *(_cell(one.evaluations[task].estimates[number]) for task, number, _ in columns),
        ]
        for one in measured
    ]
    constant = measured[0].evaluations
    rows.append(
        [
            *("constant answer", *[""] * 3),
            *(_cell(constant[task].constant.get(number)) for task, number, _ in columns),
        ]
    )
    return [_row(head), "|---" * len(head) + "|", *map(_row, rows)]


def write_table(measured: Sequence[Measured], path: Path) -> None:
    """Put it there, whole or not at all.

    Raises:
        SinkError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as draft:
            draft.write_text("\n".join(comparison_table(measured)) + "\n", encoding="utf-8")
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror or error}") from error


def _columns(one: Measured) -> Iterator[tuple[str, str, str]]:
    """Name of an evaluation, name of a number, title."""
    for name, evaluation in one.evaluations.items():
        for number, title in _DECIDING[evaluation.task].items():
            yield name, number, f"{name}: {title}"


def _cell(number: Estimate | None) -> str:
    if number is None:
        return ""
    if number.low is None or number.high is None:
        return f"{number.value:.3f}"
    return f"{number.value:.3f} ({number.low:.3f} to {number.high:.3f})"


def _row(cells: Sequence[str]) -> str:
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)
