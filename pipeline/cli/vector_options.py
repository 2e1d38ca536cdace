"""Options of everything that fits a vector head: what is tried, how data are divided, where to.

click's values in -> a recipe out.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from operators.errors import UsageError

if TYPE_CHECKING:
    from operators.learn.vector_fit import Recipe

Callback = TypeVar("Callback", bound=Callable[..., Any])
_CLASSIFIERS = ("linear", "motion", "logistic", "svm", "knn", "xgboost")
_OF_PICTURES = tuple(name for name in _CLASSIFIERS if name != "motion")
_POOLINGS = ("mean", "concat", "attention")


def recipe_options(*, poolings: bool) -> Callable[[Callback], Callback]:
    """What is tried, and what is kept together.

    Args:
        poolings: windows are pooled over time, and how is a choice.
    """
    options = [
        click.option(
            "--classifier",
            type=click.Choice(_CLASSIFIERS if poolings else _OF_PICTURES),
            default="linear",
            show_default=True,
            help="linear sweeps learning rates as DINOv2 does; motion matches patches; others "
            "suit few examples.",
        ),
        click.option(
            "--split",
            "grouping",
            type=click.Choice(["file", "day"]),
            default="file",
            show_default=True,
            help="What is never divided between learning and judging.",
        ),
        click.option(
            "--finetune",
            type=click.IntRange(1),
            is_flag=False,
            flag_value=1,
            metavar="[N]",
            show_default="none",
            help="Let the last N blocks of the backbone learn too, 1 where N is left out, and keep "
            "them with the head if that is better.",
        ),
    ]
    if poolings:
        options.append(
            click.option(
                "--pooling",
                "poolings",
                type=click.Choice(_POOLINGS),
                multiple=True,
                show_default="all are tried",
                help="Over the frames of a window; several may be named.",
            )
        )

    def with_options(function: Callback) -> Callback:
        for option in reversed(options):
            function = option(function)
        return function

    return with_options


def out_option(default: str) -> Callable[[Callback], Callback]:
    """Where the head goes; found out before any work whether it can be written there."""
    return click.option(
        "-o",
        "--out",
        type=click.Path(path_type=Path),
        callback=_writable_head,
        default=default,
        show_default=True,
        metavar="FILE.safetensors",
    )


def _writable_head(ctx: click.Context, parameter: click.Parameter, path: Path) -> Path:
    if path.suffix != ".safetensors":
        raise UsageError(f"{path}: a head file's name ends in .safetensors")
    try:
        if path.is_dir():
            raise UsageError(f"{path} is a folder; -o names a file")
        folders = path.absolute().parents
        with tempfile.TemporaryFile(dir=next(one for one in folders if one.exists())):
            return path  # folders that are not there yet are made with the file
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None


def recipe_of(given: Mapping[str, Any], seed: int) -> Recipe:
    """What the options ask for."""
    from operators.learn.vector_fit import Recipe

    poolings = given.get("poolings") or _POOLINGS
    return Recipe(given["classifier"], poolings, seed)
