"""`dinostream streams`: watch and steer the streams of a job that runs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pipeline.control.client import Client

SERVICE = "http://127.0.0.1:8600"
COLUMNS = ("id", "state", "frames", "dropped", "lag_s", "since", "reason")


_service_option = click.option(
    "--service",
    default=SERVICE,
    show_default=True,
    metavar="URL",
    help="Where the job listens; its token is in DINOSTREAM_TOKEN.",
)


_keys_option = click.option(
    "--set",
    "keys",
    multiple=True,
    metavar="KEY=VALUE",
    help="A key of its entry, such as sampling.fps=2; null takes one out. May be repeated.",
)


@click.group("streams", epilog="Example: dinostream streams add gate rtsp://10.0.0.7/main")
def command() -> None:
    """Watch and steer the streams of a job that runs with --listen."""


@command.command("list", epilog="Example: dinostream streams list --json")
@_service_option
@click.option("--json", "as_json", is_flag=True, help="Everything that is known, as JSON.")
def list_streams(*, service: str, as_json: bool) -> int:
    """Show every stream: its state, and why it is no better."""
    streams = _client(service).streams()
    if as_json:
        click.echo(json.dumps(streams, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(_table(streams)))
    return 0


@command.command("add", epilog="Example: dinostream streams add gate rtsp://10.0.0.7/main")
@click.argument("name")
@click.argument("url")
@_keys_option
@_service_option
def add_stream(name: str, url: str, *, keys: tuple[str, ...], service: str) -> int:
    """Take in a stream; refused where one of that name exists."""
    return _say(_client(service).put(name, _entry(url, keys), only_new=True))


@command.command("set", epilog="Example: dinostream streams set gate --set sampling.fps=2")
@click.argument("name")
@click.argument("url", required=False)
@_keys_option
@_service_option
def set_stream(name: str, url: str | None, *, keys: tuple[str, ...], service: str) -> int:
    """Take in a stream, or give one that exists another address or other settings."""
    entry, client = _entry(url, keys), _client(service)
    if name in {stream["id"] for stream in client.streams()}:
        return _say(client.patch(name, entry))
    return _say(client.put(name, entry, only_new=True))


@command.command("remove", epilog="Example: dinostream streams remove gate")
@click.argument("name")
@_service_option
def remove_stream(name: str, *, service: str) -> int:
    """Have a stream finish what is decoded and leave; its records stay."""
    _client(service).remove(name)
    click.echo(f"{name} is removed")
    return 0


@command.command("pause", epilog="Example: dinostream streams pause gate")
@click.argument("name")
@_service_option
def pause_stream(name: str, *, service: str) -> int:
    """Have a stream finish what is decoded and wait until it is resumed."""
    return _say(_client(service).turn(name, "pause"))


@command.command("resume", epilog="Example: dinostream streams resume gate")
@click.argument("name")
@_service_option
def resume_stream(name: str, *, service: str) -> int:
    """Have a stream go on that is paused, or begin again that has ended."""
    return _say(_client(service).turn(name, "resume"))


def _entry(url: str | None, keys: Sequence[str]) -> dict[str, Any]:
    """Keys of a stream's entry."""
    from pipeline.configuration.document import apply_override

    entry: dict[str, Any] = {} if url is None else {"url": url}
    for key in keys:
        apply_override(entry, key)
    return entry


def _client(service: str) -> Client:
    from pipeline.control.client import Client

    return Client(service, os.environ.get("DINOSTREAM_TOKEN", ""))


def _say(stream: Mapping[str, Any]) -> int:
    reason = f": {stream['reason']}" if stream["reason"] else ""
    click.echo(f"{stream['id']} is {stream['state']}{reason}")
    return 0


def _table(streams: Sequence[Mapping[str, Any]]) -> list[str]:
    """Columns as wide as they must be."""
    rows = [COLUMNS, *([_cell(stream[name]) for name in COLUMNS] for stream in streams)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return str(sum(value.values())) if isinstance(value, dict) else str(value)
