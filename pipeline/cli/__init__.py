"""The command line: one click command per file, loaded when it is asked for.

Arguments in -> exit code out, see `options.EXIT_CODES`. Errors that dinostream foresaw are one
line; secrets are masked.
"""

from __future__ import annotations

import importlib
import io
import logging
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

import click

from operators.errors import DinostreamError, UsageError
from pipeline.cli.options import EXIT_CODES
from pipeline.doctor import check_layout
from pipeline.logs import LEVELS, is_json, set_up_logging
from pipeline.secrets import mask, remember_urls
from pipeline.version import version

COMMANDS = (
    "replay",
    "run",
    "streams",
    "view",
    "search",
    "index",
    "dedupe",
    "cluster",
    "recommend",
    "curate",
    "fit",
    "eval",
    "pretrain",
    "calibrate",
    "demo",
    "render",
    "zones",
    "follow",
    "segment",
    "ground",
    "clip",
    "plot",
    "tail",
    "audit",
    "convert",
    "topics",
    "schemas",
    "weights",
    "bench",
    "doctor",
)

INTERRUPTED = 130

log = logging.getLogger(__name__)


class LazyGroup(click.Group):
    """Imports a command's module when the command is named, so that --help stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"pipeline.cli.{cmd_name}").command
        return command


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: dinostream replay clip.mp4 --weights demo --sink sqlite:results.db\n\n"
    + EXIT_CODES,
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda ctx, _, wanted: _show_version(ctx) if wanted else None,
    help="Show the version and exit.",
)
@click.option("--log-level", type=click.Choice(LEVELS), default="info", show_default=True)
@click.option("--debug", is_flag=True, help="Log everything, and show where an error came from.")
@click.pass_context
def cli(ctx: click.Context, log_level: str, debug: bool) -> None:
    """Turn video streams into facts on Kafka or in SQLite."""
    set_up_logging("debug" if debug else log_level)
    if ctx.invoked_subcommand != "doctor":  # which reports the layout itself
        check_layout()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name; those of the process where None.

    Returns:
        The exit code.
    """
    remember_urls(sys.argv[1:] if arguments is None else arguments)
    _allow_any_name()
    try:
        code = cli.main(args=arguments, prog_name="dinostream", standalone_mode=False)
    except click.ClickException as error:
        if is_json():
            _say(error.format_message())
        else:
            shown = io.StringIO()
            error.show(shown)
            print(mask(shown.getvalue()), end="", file=sys.stderr)
        return 2
    except click.Abort:
        _say("interrupted")
        return INTERRUPTED
    except DinostreamError as error:
        log.debug("this is where it came from", exc_info=True)
        _say(str(error))
        return 2 if isinstance(error, UsageError) else 1
    except Exception:
        _say(f"this is a bug in dinostream:\n{traceback.format_exc()}")
        return 1
    return code if isinstance(code, int) else 0


def _allow_any_name() -> None:
    """A file's name may hold bytes that are no text. They are written as `\\udce9`, which JSON
    reads as what it was."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _show_version(ctx: click.Context) -> NoReturn:
    click.echo(f"dinostream {version()}")
    ctx.exit()


def _say(text: str) -> None:
    if is_json():
        log.error("%s", text)
    else:
        print(f"dinostream: {mask(text)}", file=sys.stderr)
