"""`dinostream tail`: records of a sink as lines of JSON or CSV, or as a Parquet file."""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from operators.errors import UsageError
from pipeline.cli.sink_options import (
    follow_option,
    group_option,
    since_option,
    sink_config_option,
    sink_settings,
    until_option,
)

if TYPE_CHECKING:
    from pipeline.records.condition import Condition
    from pipeline.records.record import StoredRecord
    from pipeline.sinks.reading import Reading
    from pipeline.sinks.sink import Reader

    Put = Callable[[StoredRecord, dict[str, Any]], None]

SUMMARY_S = 5.0  # between two summaries of latencies


@click.command("tail", epilog="Example: dinostream tail sqlite:results.db depth.summary --limit 3")
@click.argument("sink")
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@follow_option
@click.option(
    "--from-beginning/--latest",
    default=None,
    show_default="from-beginning",
    help="Where to begin: the oldest record, or what comes from now on (with --follow).",
)
@group_option
@click.option("--stream", metavar="NAME", show_default="every one", help="Only this stream.")
@click.option(
    "--where",
    "condition",
    metavar="CONDITION",
    show_default="all",
    help='Only records of which it holds, such as \'streamid == "gate" and '
    'data.percentiles["5"] < 2\'.',
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    show_default="none",
    help="Stop after N records.",
)
@since_option
@until_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "csv", "parquet"]),
    default="json",
    show_default=True,
    help="Of a line, or of the file that -o names: parquet has the columns of csv.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    show_default="stdout",
    help="Of --format parquet; written when all is read, or at Ctrl-C.",
)
@click.option(
    "--latency", is_flag=True, help="Say how old each record is, and on stderr how old all are."
)
@click.option(
    "--save", type=click.Path(path_type=Path), metavar="DIR", help="Write binary values there."
)
@sink_config_option
def command(
    sink: str,
    topics: tuple[str, ...],
    *,
    follow: bool,
    from_beginning: bool | None,
    group: str | None,
    stream: str | None,
    since_us: int | None,
    until_us: int | None,
    condition: str | None,
    limit: int | None,
    form: str,
    output: Path | None,
    latency: bool,
    save: Path | None,
    config: Path | None,
) -> int:
    """Print records of SINK, one JSON object a line; of all topics where none is named.

    CONDITION compares what a line of JSON holds, by name: ==, !=, <, <=, >, >=, in, and, or, not.
    """
    from pipeline.records.condition import Condition
    from pipeline.records.filter import Filter
    from pipeline.sinks.reading import Plan

    for option, wanted in (("--latest", from_beginning is False), ("--group", group is not None)):
        if wanted and not follow:
            raise click.UsageError(f"{option} is about what comes from now on: it needs --follow")
    if (form == "parquet") != (output is not None):
        raise click.UsageError("--format parquet and -o FILE go together; other formats are lines")
    if output is not None and group is not None:
        raise click.UsageError(
            "--group is for lines: records are done before a Parquet file is, which may not come"
        )
    chosen = None if condition is None else Condition(condition)
    plan = Plan(
        topics,
        Filter(() if stream is None else (stream,), since_us=since_us, until_us=until_us),
        from_beginning=from_beginning is not False,
        follow=follow,
        group=group,
        on_jump=lambda jump: click.echo(jump, err=True),
    )
    try:
        with closing(_open(sink, sink_settings(config), follow=follow, stream=stream)) as reader:
            with closing(reader.read(plan)) as reading, ExitStack() as stack:
                records = itertools.islice(_chosen(reading, chosen), limit)
                put = _put(form, output, save=save, latency=latency, flush=follow, stack=stack)
                printed = _print(records, reading, put, latency=latency)
                if not printed and (unknown := _unknown(reader, stream)):
                    raise UsageError(unknown)
            sys.stdout.flush()
    except KeyboardInterrupt:
        if not follow:
            raise
    except BrokenPipeError:  # `tail | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        if chosen and chosen.unmet:
            click.echo(f"no record had {', '.join(chosen.unmet)}", err=True)
    return 0


def _open(sink: str, settings: dict[str, Any], *, follow: bool, stream: str | None) -> Reader:
    from pipeline.sinks.uri import await_reader, open_reader

    if not follow:
        return open_reader(sink, settings=settings)
    reader = await_reader(sink, settings=settings, tell=_wait)
    if unknown := _unknown(reader, stream):
        _wait(unknown)  # whoever follows may be early
    return reader


def _chosen(reading: Reading, condition: Condition | None) -> Iterator[StoredRecord]:
    """Records of which it holds; the others are done."""
    from pipeline.records.lines import record_facts

    for record in reading:
        if condition is None or condition.holds(record_facts(record)):
            yield record
        else:
            reading.done(record)


def _put(
    form: str,
    output: Path | None,
    *,
    save: Path | None,
    latency: bool,
    flush: bool,
    stack: ExitStack,
) -> Put:
    """What puts a record, and further facts of it, where they belong."""
    from pipeline.records.lines import COLUMNS, cells, csv_line, csv_row, record_line

    columns = [*COLUMNS, *(["latency_s"] if latency else [])]
    if output is not None:
        from pipeline.records.parquet import ParquetFile

        file = stack.enter_context(ParquetFile(output, columns))
        return lambda record, facts: file.add(cells(record, save=save, **facts))
    if form == "csv":
        print(csv_row(columns))
    line = csv_line if form == "csv" else record_line
    return lambda record, facts: print(line(record, save=save, **facts), flush=flush)


def _print(records: Iterable[StoredRecord], reading: Reading, put: Put, *, latency: bool) -> bool:
    """Each, which is what a record is done with; False where there was none."""
    record = None
    for record, facts in _with_ages(records) if latency else ((one, {}) for one in records):
        put(record, facts)
        reading.done(record)
    return record is not None


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
    from pipeline.sinks.reading import nobody_wrote

    return nobody_wrote(() if stream is None else (stream,), reader)
