"""What commands share that compare all vectors of a sink with each other: where, and which."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipeline.cli.choice_options import choice_of, choice_options, tell_of_vectors
from pipeline.cli.sink_options import sink_config_option, sink_settings

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from operators.groups.grid import Tell
    from pipeline.search.sink_table import SinkTable
    from pipeline.vectors.pool import Pool

Callback = TypeVar("Callback", bound=Callable[..., Any])


def pool_options(function: Callback) -> Callback:
    """The place, and which of its vectors."""
    place = click.argument("place", metavar="SINK|DIR")
    return place(choice_options(sink_config_option(function)))


@contextmanager
def opened_pool(
    given: MutableMapping[str, Any], *, what: str
) -> Iterator[tuple[SinkTable, Pool, Tell]]:
    """The vectors that the options choose, and who hears how far work on them is; the options are
    taken out of what click collected.

    Args:
        given: values of `pool_options`, among others.
        what: one word for the command, for its progress.
    """
    from pipeline.cli.countdown import countdown
    from pipeline.search.sink_table import opened
    from pipeline.vectors.pool import pool_of

    place, config = given.pop("place"), given.pop("config")
    choice = choice_of(given)
    with countdown(what) as tell:
        within = opened(
            place,
            choice,
            settings=sink_settings(config),
            tell=lambda read: tell(None, f"{read} records read"),
        )
        with within as it:
            pool = pool_of(it.table, choice, name=place)
            tell_of_vectors(it)
            compared = f"{len(pool)} vectors are compared"
            yield it, pool, lambda share: tell(share, compared)
