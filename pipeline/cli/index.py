"""`dinostream index`: the embeddings of a sink in a folder that is searched at once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.choice_options import choice_of, choice_options
from pipeline.cli.sink_options import follow_option, sink_config_option, sink_settings

if TYPE_CHECKING:
    from pipeline.vectors.choice import Choice
    from pipeline.vectors.gather import Account

POLL_S = 1.0  # between two looks for more


@click.command(
    "index", epilog="Example: dinostream index sqlite:results.db -o results/vectors --follow"
)
@click.argument("sink")
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    required=True,
    help="The folder; one that is there is gone on with.",
)
@follow_option
@choice_options
@sink_config_option
def command(sink: str, *, folder: Path, follow: bool, config: Path | None, **given: Any) -> int:
    """Gather the embeddings of SINK in a folder, for `search` and what else reads vectors.

    A folder that is there is gone on with behind its last record, after a kill too.
    """
    from pipeline.vectors.table import Table, is_table

    choice, settings = choice_of(given), sink_settings(config)
    try:
        if follow:
            _follow(sink, folder, choice, settings)
        else:
            _pass(sink, folder, choice, settings)
    except KeyboardInterrupt:
        if not follow:
            raise
        if not is_table(folder):
            return 0
    table = Table(folder)
    head = table.head
    click.echo(f"{folder}: {len(table)} vectors of {head.dimension} numbers, {head.model}")
    return 0


def _follow(sink: str, folder: Path, choice: Choice, settings: dict[str, Any]) -> None:
    from contextlib import closing

    from pipeline.errors import NoVectors, SinkError
    from pipeline.sinks.uri import await_reader

    def wait(why: str) -> None:
        click.echo(f"{why}. Waiting for it", err=True)

    with closing(await_reader(sink, settings=settings, tell=wait)):
        pass
    told = ""
    while True:
        try:
            _pass(sink, folder, choice, settings, quiet=True)
            told = ""
        except (NoVectors, SinkError) as error:  # of a broker that is away, too
            if str(error) != told:
                wait(told := str(error))
        time.sleep(POLL_S)


def _pass(
    sink: str, folder: Path, choice: Choice, settings: dict[str, Any], *, quiet: bool = False
) -> Account:
    from pipeline.cli.countdown import countdown
    from pipeline.search.sink_table import gathered

    with countdown("index") as tell:
        account = gathered(
            sink,
            folder,
            choice,
            settings=settings,
            tell=lambda read: tell(None, f"{read} records"),
            on_jump=lambda jump: click.echo(jump, err=True),
        )
    for line in account.skipped():
        click.echo(line, err=True)
    if not quiet or account.added:
        click.echo(f"{account.added} vectors of {account.read} records", err=True)
    return account
