"""Options of a backbone that looks at what records are asked with: they say which it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from pipeline.cli.options import CPU_OPTIONS, cache_option

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
