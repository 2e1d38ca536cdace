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
@click.option("--stream", "streams", multiple=True, metavar="NAME", help="Only these streams.")
@click.option("--follow", "-f", is_flag=True, help="Wait for more until interrupted.")
@click.option(
    "--group",
    metavar="NAME",
    show_default="none",
    help="Kafka's consumer group: share records with its other members, and go on where they were "
    "(with --follow).",
)
@click.option(
    "--config", type=click.Path(path_type=Path), help="YAML file with the sinks' client settings."
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
    topics = FORMATS[form].topics
    results = subscribe(
        sink, topics=topics, streams=streams, follow=follow, group=group, settings=settings
    )
    with ExitStack() as stack:
        write = _to_sink(target, form, settings, stack) if target else _to_stdout(form)
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
                click.echo(f"{results.counts.unread} records could not be read", err=True)
    return 0


def _batches(results: Iterator[Result], size: int) -> Iterator[list[Result]]:
    """A result is done when the next one is asked for, so who follows asks for one at a time."""
    while some := list(islice(results, size)):
        yield some


def _to_sink(uri: str, form: str, settings: dict[str, object], stack: ExitStack) -> Write:
    from pipeline.convert.formats import converted
    from pipeline.sinks.uri import open_sink

    sink = stack.enter_context(closing(open_sink(uri, settings=settings)))

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
