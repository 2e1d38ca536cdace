"""`dinostream schemas`: what describes the records, for teams that read them without our code."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import click

from pipeline.secrets import remember

LOGIN = "DINOSTREAM_REGISTRY_LOGIN"


@click.group("schemas", epilog="Example: dinostream schemas export -o schemas/")
def command() -> None:
    """Hand the description of all records to other teams."""


@command.command("export", epilog="Example: dinostream schemas export -o schemas/")
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    show_default="the AsyncAPI document on stdout",
    help="Write asyncapi.json there, and a JSON Schema file for each kind of value and of headers.",
)
def export_(folder: Path | None) -> int:
    """Write an AsyncAPI 3 document of all topics, and the JSON Schemas.

    A record's dataschema urn:dinostream:schemas:NAME is the file NAME.json.
    """
    from pipeline.schemas.asyncapi import document
    from pipeline.schemas.export import export, text_of

    if folder is None:
        click.echo(text_of(document()), nl=False)
    else:
        written = export(folder)
        click.echo(f"{folder}: {len(written)} files")
    return 0


@command.command(
    "register", epilog="Example: dinostream schemas register https://registry.example.org"
)
@click.argument("url")
@click.option(
    "--subject-strategy",
    "strategy",
    type=click.Choice(["topic", "record", "topic-record"]),
    default="topic",
    show_default=True,
    help="How subjects are named: PREFIX.TOPIC-value, the record's type, or both.",
)
@click.option(
    "--topic-prefix", "prefix", default="dinostream", show_default=True, help="Of the topics."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, one per subject.")
def register(url: str, *, strategy: str, prefix: str, as_json: bool) -> int:
    """Register the JSON Schemas of all JSON values with a registry at URL that speaks Confluent's
    REST interface.

    What is there already stays as it is. Exit code 1: a schema is incompatible with one that is
    there. A login is in DINOSTREAM_REGISTRY_LOGIN, USER:PASSWORD.
    """
    from pipeline.schemas.registry import Registry, subjects

    login = os.environ.get(LOGIN, "")
    remember(login, login.partition(":")[2])
    registry, compatible = Registry(url, login), True
    for subject, schema in subjects(prefix, strategy).items():
        done = registry.register(subject, schema)
        compatible &= done.outcome != "incompatible"
        plain = f"{done.subject:<44} {done.outcome}: {done.detail}"
        click.echo(json.dumps(asdict(done)) if as_json else plain)
    return 0 if compatible else 1
