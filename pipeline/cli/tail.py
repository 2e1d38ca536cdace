"""`dinostream tail`: records of a sink as JSON lines."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.options import sink_settings

if TYPE_CHECKING:
    from pipeline.records.record import StoredRecord


@click.command("tail", epilog="Example: dinostream tail sqlite:results.db depth.summary --limit 3")
@click.argument("sink")
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option("--follow", "-f", is_flag=True, help="Wait for more until interrupted.")
@click.option(
    "--from-beginning/--latest",
    default=None,
    help="Where to begin: the oldest record (default), or what comes from now on (with --follow).",
)
@click.option("--stream", metavar="NAME", help="Only this stream.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Stop after N records.")
@click.option(
    "--save", type=click.Path(path_type=Path), metavar="DIR", help="Write binary values there."
)
@click.option(
    "--config", type=click.Path(path_type=Path), help="YAML file with the sink's client settings."
)
def command(
    sink: str,
    topics: tuple[str, ...],
    *,
    follow: bool,
    from_beginning: bool | None,
    stream: str | None,
    limit: int | None,
    save: Path | None,
    config: Path | None,
) -> int:
    """Print records of SINK, one JSON object a line; of all topics where none is named."""
    from pipeline.records.lines import record_line
    from pipeline.sinks.uri import open_reader

    if from_beginning is False and not follow:
        raise click.UsageError("--latest shows what comes from now on, so it needs --follow")
    reader = open_reader(sink, settings=sink_settings(config))
    try:
        records = reader.records(topics, from_beginning=from_beginning is not False, follow=follow)
        for record in itertools.islice(_of_stream(records, stream), limit):
            print(record_line(record, save=save), flush=follow)
        sys.stdout.flush()
    except KeyboardInterrupt:
        if not follow:
            raise
    except BrokenPipeError:  # `tail | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        reader.close()
    return 0


def _of_stream(records: Iterator[StoredRecord], stream: str | None) -> Iterator[StoredRecord]:
    for record in records:
        if stream is None or record.message.headers.get("ce_streamid") == stream:
            yield record
