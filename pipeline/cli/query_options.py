"""Options of a backbone that looks at what records are asked with: they say which it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipeline.cli.options import CPU_OPTIONS, cache_option

if TYPE_CHECKING:
    from pipeline.search.sight import Sight
    from pipeline.vectors.head import Head

Callback = TypeVar("Callback", bound=Callable[..., Any])

_OWN = (
    click.option(
        "--weights",
        metavar="auto|demo|random|PATH",
        show_default="told from the records",
        help="Backbone weights that made them.",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Of random weights."),
    click.option(
        "--short-side",
        type=click.IntRange(min=14),
        metavar="PX",
        show_default="told from the records",
        help="Short side of their frames, where it cannot be told.",
    ),
)


def query_options(function: Callback) -> Callback:
    """Which weights, how large pictures are, what computes, and where features are kept."""
    for option in reversed((*_OWN, *CPU_OPTIONS, cache_option)):
        function = option(function)
    return function


@contextmanager
def opened_sight(
    head: Head, given: Mapping[str, Any], *, likely_side: int | None = None
) -> Iterator[Sight]:
    """What sees as a table's vectors were seen.

    Args:
        head: of the table.
        given: values of `query_options`, among others.
        likely_side: short side of pictures, pixels, where neither records nor options say it.

    Raises:
        WeightsError: other weights made them.
        UsageError: how large pictures are cannot be told.
    """
    from pipeline.cli.dense_options import cache_folder
    from pipeline.features.backbone import open_backbone
    from pipeline.search.sight import Sight, short_side_of, weights_of

    own = weights_of(head, given["weights"], seed=given["seed"])
    how = {"threads": given["threads"], "backend": given["backend"] or given["engine"] or "auto"}
    with closing(open_backbone(own.model, own.weights, seed=own.seed, **how)) as backbone:
        side = short_side_of(head, backbone, given["short_side"], likely=likely_side)
        with closing(Sight(backbone, cache_folder(given["cache"]), short_side=side)) as sight:
            yield sight
