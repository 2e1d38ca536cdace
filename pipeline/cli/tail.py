"""`dinostream tail`: records of a sink as JSON lines."""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from operators.errors import UsageError
from operators.moment import microseconds
from pipeline.cli.options import sink_settings

if TYPE_CHECKING:
    from pipeline.records.record import StoredRecord
    from pipeline.sinks.sink import Reader

SUMMARY_S = 5.0  # between two summaries of latencies


def _moment_us(text: str) -> int | None:
    """RFC 3339 -> microseconds since the epoch."""
    with suppress(ValueError, TypeError):  # without a zone it is no moment
        return microseconds(datetime.fromisoformat(text))
    raise click.BadParameter(f"{text!r} is no time with a zone, such as 2026-11-29T17:00:00Z")


@click.command("tail", epilog="Example: dinostream tail sqlite:results.db depth.summary --limit 3")
@click.argument("sink")
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option("--follow", "-f", is_flag=True, help="Wait for more until interrupted.")
@click.option(
    "--from-beginning/--latest",
    default=None,
    show_default="from-beginning",
    help="Where to begin: the oldest record, or what comes from now on (with --follow).",
)
@click.option("--stream", metavar="NAME", show_default="every one", help="Only this stream.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    show_default="none",
    help="Stop after N records.",
)
@click.option(
    "--since",
    "since_us",
    type=_moment_us,
    metavar="TIME",
    show_default="the beginning",
    help="Published then or later.",
)
@click.option(
    "--until",
    "until_us",
    type=_moment_us,
    metavar="TIME",
    show_default="none",
    help="Published before then.",
)
@click.option(
    "--latency", is_flag=True, help="Say how old each record is, and on stderr how old all are."
)
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
    since_us: int | None,
    until_us: int | None,
    limit: int | None,
    latency: bool,
    save: Path | None,
    config: Path | None,
) -> int:
    """Print records of SINK, one JSON object a line; of all topics where none is named."""
    from pipeline.records.filter import Filter
    from pipeline.records.lines import record_line
    from pipeline.sinks.uri import await_reader, open_reader

    if from_beginning is False and not follow:
        raise click.UsageError("--latest shows what comes from now on, so it needs --follow")
    where = Filter(() if stream is None else (stream,), since_us=since_us, until_us=until_us)
    settings = sink_settings(config)
    reader: Reader | None = None
    try:
        if follow:
            reader = await_reader(sink, settings=settings, tell=_wait)
        else:
            reader = open_reader(sink, settings=settings)
        if follow and (unknown := _unknown(reader, stream)):
            _wait(unknown)  # whoever follows may be early
        records = reader.records(
            topics, where=where, from_beginning=from_beginning is not False, follow=follow
        )
        records = itertools.islice(records, limit)
        record = None
        for record, facts in _with_ages(records) if latency else ((one, {}) for one in records):
            print(record_line(record, save=save, **facts), flush=follow)
        if record is None and (unknown := _unknown(reader, stream)):
            raise UsageError(unknown)
        sys.stdout.flush()
    except KeyboardInterrupt:
        if not follow:
            raise
    except BrokenPipeError:  # `tail | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        if reader is not None:
            reader.close()
    return 0


def _with_ages(records: Iterable[StoredRecord]) -> Iterator[tuple[StoredRecord, dict[str, Any]]]:
    """Each record and how old it is; on stderr how old all are, again and again and at the end."""
    from pipeline.records.age import Ages, age
    from pipeline.records.message import wall_clock_us

    ages, told_s = Ages(), time.monotonic()
    try:
        for record in records:
            old = age(record, wall_clock_us())
            ages.add(old)
            yield record, {"latency_s": old and old.plain()}
            if time.monotonic() - told_s >= SUMMARY_S:
                told_s = time.monotonic()
                click.echo(ages.take(), err=True)
    finally:
        if len(ages):
            click.echo(ages.take(), err=True)


def _wait(why: str) -> None:
    click.echo(f"{why}. Waiting for it", err=True)


def _unknown(reader: Reader, stream: str | None) -> str:
    """That nobody wrote the stream, and what there is; "" where somebody did."""
    from pipeline.records.filter import unknown_stream

    known = set() if stream is None else {one.stream for one in reader.progress()}
    return "" if stream is None or stream in known else unknown_stream(stream, known)
