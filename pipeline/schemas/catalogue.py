"""The JSON Schemas by name, and how a name follows from what a record calls its schema.

`depth.v1` describes the values of topic `depth`, `depth.attributes.v1` its headers, and
`attributes.v1` the headers that all records have in common.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

Json = dict[str, Any]

URN = "urn:dinostream:schemas:"
COMMON = "attributes.v1"


def schemas() -> dict[str, Json]:
    """Every schema by its name, sorted."""
    texts = {
        file.name.removesuffix(".json"): file.read_text(encoding="utf-8")
        for file in files(__package__).iterdir()
        if file.name.endswith(".json")
    }
    return {name: json.loads(texts[name]) for name in sorted(texts)}


def of_value(topic: str) -> str:
    """Name of the schema of a topic's values."""
    return f"{topic}.v1"


def of_headers(topic: str) -> str:
    """Name of the schema of a topic's headers."""
    return f"{topic}.attributes.v1"


def needed(schema: Any) -> set[str]:
    """Names of the schemas that one refers to."""
    if isinstance(schema, dict):
        found = {schema["$ref"].removeprefix(URN)} if "$ref" in schema else set()
        return found.union(*map(needed, schema.values()))
    return set().union(*map(needed, schema)) if isinstance(schema, list) else set()


def moved(schema: Any, place: str) -> Any:
    """The same schema, which finds those that it refers to behind `place` and not by their URNs."""
    if isinstance(schema, dict):
        return {
            key: place + value.removeprefix(URN) if key == "$ref" else moved(value, place)
            for key, value in schema.items()
        }
    return [moved(one, place) for one in schema] if isinstance(schema, list) else schema
