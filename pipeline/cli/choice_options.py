"""Options of everything that takes vectors of a sink: whose, of when, of which variants."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipeline.cli.moment import moment_us

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from pipeline.search.sink_table import SinkTable
    from pipeline.vectors.choice import Choice

Callback = TypeVar("Callback", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--stream",
        "streams",
        metavar="NAME",
        multiple=True,
        show_default="every one",
        help="Only this stream; several may be named.",
    ),
    click.option(
        "--since",
        "since_us",
        type=moment_us,
        metavar="TIME",
        show_default="the beginning",
        help="Frames of then or later, by event time.",
    ),
    click.option(
        "--until",
        "until_us",
        type=moment_us,
        metavar="TIME",
        show_default="the end",
        help="Frames of before then.",
    ),
    click.option(
        "--variant",
        "variants",
        metavar="HASH",
        multiple=True,
        show_default="the only one",
        help="Vectors of this variant; several of one model may be named.",
    ),
)


def choice_options(function: Callback) -> Callback:
    """Which vectors."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def choice_of(given: MutableMapping[str, Any]) -> Choice:
    """What the options ask for; they are taken out of what click collected."""
    from pipeline.vectors.choice import Choice

    names = ("streams", "variants", "since_us", "until_us")
    return Choice(**{name: given.pop(name) for name in names})


def tell_of_vectors(within: SinkTable) -> None:
    """What a user should know of the vectors."""
    for line in within.account.skipped():
        click.echo(line, err=True)
    marks = within.table.head.marks
    if "untrained" in marks:
        click.echo("these vectors are of untrained weights: likeness means little", err=True)
    if "outofdomain" in marks:
        click.echo("these vectors are of weights that know other footage", err=True)
