"""Options of kept features: what keeps them, and reading them instead of footage."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from pipeline.cli.options import (
    BACKBONE,
    CPU_OPTIONS,
    HEADS,
    WHICH,
)

Callback = TypeVar("Callback", bound=Callable[..., Any])

_KEEP = (
    click.option(
        "--keep-features",
        type=click.Path(path_type=Path),
        metavar="DIR",
        show_default="nowhere",
        help="Keep the features of every computed frame there, for heads that come later.",
    ),
    click.option(
        "--basis",
        type=click.Path(path_type=Path),
        metavar="FILE",
        show_default="none",
        help="Basis that they are kept in; dinostream fit features makes one.",
    ),
)
from_option = click.option(
    "--from",
    "archive",
    metavar="features:DIR",
    show_default="footage",
    help="Run heads over features that were kept, without decoding or backbone.",
)


def keep_options(function: Callback) -> Callback:
    """What and where; `keep_values` reads them."""
    for option in reversed(_KEEP):
        function = option(function)
    return function


def engine_options(function: Callback) -> Callback:
    """Those of an engine, whatever it is given."""
    for option in reversed((*BACKBONE, *HEADS, *WHICH, *CPU_OPTIONS)):
        function = option(function)
    return function


def keep_values(folder: Path | None, basis: Path | None) -> dict[str, Any]:
    """As configuration keys.

    Raises:
        click.UsageError: one without the other.
    """
    if (folder is None) != (basis is None):
        raise click.UsageError(
            "--keep-features DIR and --basis FILE go together; dinostream fit features SOURCE... "
            "-o FILE makes a basis"
        )
    if folder is None:
        return {}
    return {"features": {"dir": os.fspath(folder), "basis": os.fspath(basis or "")}}


def archive_source(archive: str) -> str:
    """What `--from` names, as a source.

    Raises:
        click.UsageError: it is none.
    """
    if not archive.startswith("features:"):
        raise click.UsageError(f"--from takes features:DIR, got {archive!r}")
    return archive
