"""`--log-format`: what lines on stderr are, from the moment that the option is read."""

from __future__ import annotations

import click

from pipeline.logs import FORMATS, level_in_use, set_up_logging


def _use(ctx: click.Context, _: click.Parameter, wanted: str) -> None:
    if wanted == "json":  # else it stays as the command line's beginning has it
        set_up_logging(level_in_use(), as_json=True)


# Eager, so that what is wrong with the other options is said in this form too.
log_format_option = click.option(
    "--log-format",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    is_eager=True,
    expose_value=False,
    callback=_use,
    help="Lines on stderr: text, or a JSON object each.",
)
