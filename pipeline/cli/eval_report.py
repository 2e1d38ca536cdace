"""What an evaluation looks like on a terminal, and where its files go."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipeline.cli.dense_options import FOLDER
from pipeline.cli.options import json_option

if TYPE_CHECKING:
    from operators.learn.estimate import Estimate
    from pipeline.fit.evaluation import Evaluation

Callback = TypeVar("Callback", bound=Callable[..., Any])

_CONFUSED = 8  # pairs of classes that are named
_OF_CLASS = {"segmentation": "IoU", "detect": "AP50"}


def report_options(function: Callback) -> Callback:
    """Which head, where files go, and whether a script reads the output."""
    options = (
        click.option("--head", required=True, metavar="NAME|PATH", help="The head to measure."),
        click.option(
            "-o", "--out", type=FOLDER, metavar="DIR", help="For the JSON and the pictures."
        ),
        json_option,
    )
    for option in reversed(options):
        function = option(function)
    return function


def report(evaluation: Evaluation, out: Path | None, *, as_json: bool) -> int:
    """Print it, and write its files where they are wanted."""
    from pipeline.fit.evaluation_files import write_evaluation

    files = write_evaluation(evaluation, out) if out else []
    if as_json:
        if evaluation.caution:
            click.echo(evaluation.caution, err=True)
        click.echo(json.dumps(evaluation.plain(), ensure_ascii=False))
        return 0
    click.echo("\n".join(_lines(evaluation)))
    for file in files:
        click.echo(f"wrote {file}")
    return 0


def said(number: Estimate) -> str:
    """An estimate as people read it."""
    if number.low is None or number.high is None:
        return f"{number.value:.3f}"
    return f"{number.value:.3f}  (95 %: {number.low:.3f} to {number.high:.3f})"


def _lines(evaluation: Evaluation) -> Iterable[str]:
    if evaluation.caution:
        yield evaluation.caution
    yield f"{evaluation.task}: {evaluation.what}"
    yield f"{evaluation.samples} samples of {evaluation.groups} files or scenes"
    for name, number in evaluation.estimates.items():
        constant = evaluation.constant.get(name)
        beside = f"   constant answer {constant.value:.3f}" if constant else ""
        yield f"{name:>21}  {said(number):<36}{beside}"
    if evaluation.per_class:
        yield f"{_OF_CLASS.get(evaluation.task, 'found')} of each class:"
        for id_, share in evaluation.per_class.items():
            yield f"{evaluation.labels[id_]:>21}  {share:.3f}"
    yield from _confused(evaluation)
    yield from _conditions(evaluation)
    yield from evaluation.notes


def _conditions(evaluation: Evaluation) -> Iterable[str]:
    """Their table, and how it is read."""
    from pipeline.fit.conditions_table import conditions_table

    if evaluation.conditions:
        yield "under conditions; change: on the same pictures, files or scenes drawn anew for both"
        yield from conditions_table(evaluation)


def _confused(evaluation: Evaluation) -> Iterable[str]:
    """The pairs of classes that are taken for each other most, as shares of the true class."""
    if evaluation.confusion is None:
        return
    rows = evaluation.confusion.sum(axis=1)
    pairs = [
        (count / rows[truth], truth, answer)
        for truth, row in enumerate(evaluation.confusion.tolist())
        for answer, count in enumerate(row)
        if truth != answer and count
    ]
    if pairs:
        yield "most often taken for another:"
    for share, truth, answer in sorted(pairs, reverse=True)[:_CONFUSED]:
        labels = evaluation.labels
        yield f"{labels[truth]:>21}  as {labels[answer]}: {share:.1%}"
