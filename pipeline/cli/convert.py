"""`dinostream convert`: results as other products write theirs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.options import sink_settings

if TYPE_CHECKING:
    from pipeline.client.result import Result
    from pipeline.sinks.sink import Sink

    Write = Callable[[Sequence[Result]], None]

AT_ONCE = 200  # results in one write
FORMATS = ("deepstream-minimal", "deepstream", "metropolis")


@click.command(
    "convert",
    epilog="Example: dinostream convert kafka://broker:9092 deepstream-minimal --follow "
    "--group bridge --to 'kafka://broker:9092?topic_prefix=mdx'",
)
@click.argument("sink")
@click.argument("form", metavar="FORMAT", type=click.Choice(FORMATS))
@click.option(
    "--to",
    "target",
    metavar="SINK",
    show_default="stdout",
    help="Sink whose topic PREFIX.FORMAT gets the messages.",
)
@click.option(
    "--stream",
    "streams",
    multiple=True,
    metavar="NAME",
    show_default="every one",
    help="Only these streams.",
)
@click.option("--follow", "-f", is_flag=True, help="Wait for more until interrupted.")
@click.option(
    "--group",
    metavar="NAME",
    show_default="none",
    help="Kafka's consumer group: share records with its other members, and go on where they were "
    "(with --follow).",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="YAML file with the client settings of Kafka sinks.",
)
def command(
    sink: str,
    form: str,
    *,
    target: str | None,
    streams: tuple[str, ...],
    follow: bool,
    group: str | None,
    config: Path | None,
) -> int:
    """Convert results of SINK to FORMAT: deepstream-minimal, deepstream (full JSON) or metropolis
    (nv.Frame of Protocol Buffers; on stdout each behind its length).

    Records that have no counterpart there are not read.
    """
    from pipeline.client.other import Raw
    from pipeline.client.subscription import subscribe
    from pipeline.convert.formats import FORMATS

    if group is not None and not follow:
        raise click.UsageError("--group is about what comes from now on: it needs --follow")
    settings = sink_settings(config)
    results = subscribe(
        sink,
        topics=FORMATS[form].topics,
        streams=streams,
        follow=follow,
        group=group,
        settings=_of_kafka(sink, settings),
    )
    with ExitStack() as stack:
        if target is None:
            write = _to_stdout(form)
        else:
            opened = _open(target, _of_kafka(target, settings), patient=follow)
            write = _to_sink(stack.enter_context(closing(opened)), form)
        try:
            for some in _batches(iter(results), 1 if follow else AT_ONCE):
                write([one for one in some if not isinstance(one, Raw)])
        except KeyboardInterrupt:
            if not follow:
                raise
        except BrokenPipeError:  # `convert | head`: the reader has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        finally:
            if results.counts.unread:
                click.echo(f"records that could not be read: {results.counts.unread}", err=True)
    return 0


def _batches(results: Iterator[Result], size: int) -> Iterator[list[Result]]:
    """A result is done when the next one is asked for, so who follows asks for one at a time."""
    while some := list(islice(results, size)):
        yield some


def _of_kafka(uri: str, settings: dict[str, object]) -> dict[str, object]:
    """A database has none."""
    return settings if uri.startswith("kafka:") else {}


def _open(uri: str, settings: dict[str, object], *, patient: bool) -> Sink:
    """Who follows bears outages."""
    from pipeline.sinks.patient import PatientSink
    from pipeline.sinks.uri import open_sink, sink_name

    sink = open_sink(uri, settings=settings)
    return PatientSink(sink, name=sink_name(uri)) if patient else sink


def _to_sink(sink: Sink, form: str) -> Write:
    from pipeline.convert.formats import converted

    def write(some: Sequence[Result]) -> None:
        sink.publish([message for one in some for message in converted(one, form)])

    return write


def _to_stdout(form: str) -> Write:
    from pipeline.convert.formats import FORMATS

    def write(some: Sequence[Result]) -> None:
        for value in (value for one in some for value in FORMATS[form].values(one)):
            sys.stdout.buffer.write(FORMATS[form].on_its_own(value))
        sys.stdout.buffer.flush()

    return write
