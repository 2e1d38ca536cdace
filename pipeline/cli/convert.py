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

from pipeline.cli.sink_options import follow_option, group_option, sink_settings

if TYPE_CHECKING:
    from pipeline.client.result import Result
    from pipeline.records.record import Message
    from pipeline.sinks.sink import Receipt, Sink

    Write = Callable[[Sequence[Message]], Receipt]

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
@follow_option
@group_option
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="YAML file with the client settings of SINK, a login among them; not for --to.",
)
@click.option(
    "--to-config",
    "target_config",
    type=click.Path(path_type=Path),
    show_default="none",
    help="The same for the sink of --to.",
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
    target_config: Path | None,
) -> int:
    """Convert results of SINK to FORMAT: deepstream-minimal, deepstream (full JSON) or metropolis
    (nv.Frame of Protocol Buffers; on stdout each behind its length).

    Records that have no counterpart there are not read. Exit code 1: the other sink has another
    message of the same id.
    """
    from pipeline.client.subscription import subscribe
    from pipeline.convert.formats import FORMATS
    from pipeline.sinks.sink import Receipt

    if group is not None and not follow:
        raise click.UsageError("--group is about what comes from now on: it needs --follow")
    for option, file, uri in (("--config", config, sink), ("--to-config", target_config, target)):
        if file is not None and not (uri or "").startswith("kafka:"):
            raise click.UsageError(
                f"{option} has settings of a Kafka client, and {uri or 'stdout'} wants none; "
                "--config is for SINK, --to-config for the sink of --to"
            )
    results = subscribe(
        sink,
        topics=FORMATS[form].topics,
        streams=streams,
        follow=follow,
        group=group,
        settings=sink_settings(config),
    )
    receipt, unread = Receipt(), 0
    with ExitStack() as stack:
        if target is None:
            write = _to_stdout(form)
        else:
            opened = _open(target, sink_settings(target_config), patient=follow)
            write = stack.enter_context(closing(opened)).publish
        try:
            for some in _batches(iter(results), 1 if follow else AT_ONCE):
                messages, odd = _messages(some, form)
                unread += odd
                receipt += write(messages)
        except KeyboardInterrupt:
            if not follow:
                raise
        except BrokenPipeError:  # `convert | head`: the reader has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        finally:
            if unread:
                click.echo(f"records that could not be read: {unread}", err=True)
            if receipt.conflicting:
                what = "messages that are there with another value, and stay as they are"
                click.echo(f"{what}: {receipt.conflicting}", err=True)
    return 1 if receipt.conflicting else 0


def _batches(results: Iterator[Result], size: int) -> Iterator[list[Result]]:
    """A result is done when the next one is asked for, so who follows asks for one at a time."""
    while some := list(islice(results, size)):
        yield some


def _messages(some: Sequence[Result], form: str) -> tuple[list[Message], int]:
    """Of results, and how many of these cannot be read."""
    from pipeline.convert.formats import converted
    from pipeline.errors import UnreadableRecord

    messages, unread = [], 0
    for one in some:
        try:
            messages += converted(one, form)
        except UnreadableRecord:
            unread += 1
    return messages, unread


def _open(uri: str, settings: dict[str, object], *, patient: bool) -> Sink:
    """Who follows bears outages."""
    from pipeline.sinks.patient import PatientSink
    from pipeline.sinks.uri import open_sink, sink_name

    sink = open_sink(uri, settings=settings)
    return PatientSink(sink, name=sink_name(uri)) if patient else sink


def _to_stdout(form: str) -> Write:
    from pipeline.convert.formats import FORMATS
    from pipeline.sinks.sink import Receipt

    def write(messages: Sequence[Message]) -> Receipt:
        for message in messages:
            sys.stdout.buffer.write(FORMATS[form].on_its_own(message.value))
        sys.stdout.buffer.flush()
        return Receipt(written=len(messages))

    return write
