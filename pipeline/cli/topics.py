"""`dinostream topics`: make Kafka's topics as they should be, list those of a sink."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.sink_options import sink_config_option, sink_settings

if TYPE_CHECKING:
    from operators.format import Format
    from pipeline.sinks.sink import Held, Reader

ALWAYS = ("records", "exact")  # of what is held; the rest is of databases that do not keep all

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


@click.group("topics", epilog="Example: dinostream topics create kafka://localhost:9092")
def command() -> None:
    """Create and list topics."""


@command.command(
    "create", epilog="Example: dinostream topics create kafka://localhost:9092 --partitions 32"
)
@click.argument("sink")
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option("--partitions", type=click.IntRange(min=1), show_default="8", help="Of each topic.")
@click.option(
    "--replication", type=click.IntRange(min=1), show_default="the broker's", help="Copies of each."
)
@sink_config_option
@json_option
def create(
    sink: str,
    topics: tuple[str, ...],
    *,
    partitions: int | None,
    replication: int | None,
    config: Path | None,
    as_json: bool,
) -> int:
    """Make the topics of a kafka:// SINK with the right retention, compaction and message size.

    Topics that exist are compared and left as they are.
    """
    from pipeline.sinks.uri import create_topics

    reports = create_topics(
        sink,
        settings=sink_settings(config),
        partitions=partitions,
        replication=replication or -1,
        names=topics,
    )
    for report in reports:
        differences = "".join(f"; {one}" for one in report.differences)
        plain = f"{report.name:<22} {report.outcome}{differences}"
        click.echo(json.dumps(asdict(report)) if as_json else plain)
    return 0


@command.command("list", epilog="Example: dinostream topics list sqlite:results.db --json")
@click.argument("sink")
@sink_config_option
@json_option
def list_(sink: str, *, config: Path | None, as_json: bool) -> int:
    """List the topics that SINK holds, what is in them, and how much.

    Of Kafka's topics only the offsets are known, among them ends of transactions and repeats.
    """
    from pipeline.sinks.uri import open_reader

    reader = open_reader(sink, settings=sink_settings(config))
    try:
        topics = [(name, held, _format(reader, name)) for name, held in reader.holds().items()]
    finally:
        reader.close()
    for name, held, found in topics:
        kind, schema = (found.content_type, found.schema) if found else (None, None)
        said = {what: value for what, value in asdict(held).items() if value or what in ALWAYS}
        row = {"name": name, "content_type": kind, "schema": schema, **said}
        count = f"{'' if held.exact else 'at most '}{held.records} records"
        plain = f"{name:<22} {kind or 'unknown':<24} {count}{_kept(held)}"
        click.echo(json.dumps(row) if as_json else plain)
    return 0


def _kept(held: Held) -> str:
    """What a database keeps of a topic, where that is not all."""
    bounds = [] if held.max_age_s is None else [f"{held.max_age_s / 86_400:g} days"]
    bounds += [] if held.max_bytes is None else [f"{held.max_bytes / (1 << 30):g} GiB"]
    keeps = f", keeps {' and '.join(bounds)} at most" if bounds else ""
    return keeps + (f", {held.removed} removed" if held.removed else "")


def _format(reader: Reader, topic: str) -> Format | None:
    """Ours by the table; of any other as its first record has it, None where that says none."""
    from operators.format import Format
    from pipeline.records.topics import TOPICS

    if topic in TOPICS:
        return TOPICS[topic].format
    first = next(reader.records([topic]), None)
    if first is None:
        return None
    headers = first.message.headers
    try:
        return Format(headers.get("content-type", ""), headers.get("ce_dataschema"))
    except ValueError:  # written by another program
        return None
