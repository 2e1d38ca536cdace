"""All that describes the records, as files that a team can host."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.errors import SinkError
from pipeline.schemas.asyncapi import document
from pipeline.schemas.catalogue import Json, schemas

DOCUMENT = "asyncapi.json"


def text_of(value: Json) -> str:
    """JSON that a person can read."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def export(folder: Path) -> list[Path]:
    """Write the AsyncAPI document and a file `NAME.json` for each schema
    `urn:dinostream:schemas:NAME`.

    Returns:
        The files.

    Raises:
        SinkError: they cannot be written there.
    """
    texts = {DOCUMENT: document()} | {f"{name}.json": one for name, one in schemas().items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, value in texts.items():
            (folder / name).write_text(text_of(value), encoding="utf-8")
    except OSError as error:
        raise SinkError(f"cannot write schemas to {folder}: {error.strerror}") from None
    return [folder / name for name in texts]
