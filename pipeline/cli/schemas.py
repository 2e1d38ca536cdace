"""`dinostream schemas`: what describes the records, for teams that read them without our code."""

from __future__ import annotations

from pathlib import Path

import click


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
