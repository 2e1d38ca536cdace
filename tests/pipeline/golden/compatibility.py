"""What records of now would break for who was written for those of then. Messages in -> faults."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jsonschema import Draft7Validator
from PIL import Image
from referencing import Registry, Resource

from operators.format import JPEG, JSON, PNG
from pipeline.records.record import Message
from pipeline.records.topics import data_topics

GROWS = "grows within v1"  # what schemas say of lists of reasons
FIXED = ("content-type", "ce_specversion", "ce_source", "ce_type", "ce_dataschema")
HEX = re.compile(r"\b([0-9a-f]{12}|[0-9]{16,})\b")  # of content, or when a camera was connected
DIGEST = re.compile(r"\.[0-9a-f]{6}(?=/)")
POSITION = re.compile(r"(?<=/)-?[0-9]+(\+[0-9]+)?(?=[./])")


def form(identity: str) -> str:
    """An id without what another run, machine or codec would make otherwise."""
    return POSITION.sub("P", DIGEST.sub(".D", HEX.sub("H", identity)))


def broken(then: Iterable[Message], now: Iterable[Message]) -> list[str]:
    """What somebody who reads records like those of then does not find in those of now.

    Both are of one corpus's footage. dinostream's own books are nobody's to read.
    """
    alike: dict[str, list[Message]] = {}
    for message in now:
        alike.setdefault(_kind(message), []).append(message)
    faults = []
    for message in _public(then):
        found = alike.get(_kind(message), [])
        differences = [set(_differences(message, one)) for one in found]
        lost = min(differences, key=len, default={"there is no such record any more"})
        faults += [f"{message.id}: {one}" for one in sorted(lost)]
    return faults


def unlike(messages: Iterable[Message], schemas: Mapping[str, Any]) -> list[str]:
    """What is not as schemas say, to who lets pass what they do not know."""
    registry: Registry[Any] = Registry().with_resources(
        (schema["$id"], Resource.from_contents(opened(schema))) for schema in schemas.values()
    )
    faults = []
    for message in _public(messages):
        said = {f"{message.topic}.attributes.v1": dict(message.headers)}
        if message.headers["content-type"] == JSON:
            said[f"{message.topic}.v1"] = json.loads(message.value)
        for name in said.keys() & schemas.keys():  # there are newer topics than schemas
            check = Draft7Validator(
                {"$ref": schemas[name]["$id"]},
                registry=registry,
                format_checker=Draft7Validator.FORMAT_CHECKER,
            )
            faults += [f"{message.id}: {one.message}" for one in check.iter_errors(said[name])]
    return faults


def opened(schema: Any) -> Any:
    """The same schema, which lets pass fields that it does not know, and values of those lists
    that may grow."""
    if isinstance(schema, dict):
        grows = schema.get("$comment") == GROWS
        return {
            name: opened(one)
            for name, one in schema.items()
            if (name, one) != ("additionalProperties", False) and not (grows and name == "enum")
        }
    return [opened(one) for one in schema] if isinstance(schema, list) else schema


def _public(messages: Iterable[Message]) -> list[Message]:
    return [message for message in messages if data_topics([message.topic])]


def _kind(message: Message) -> str:
    """Records of one kind say the same fields: of events that is their cause, too."""
    said = json.loads(message.value) if message.topic == "events" else {}
    return f"{message.topic} {form(message.id)} {said.get('cause', '')}"


def _differences(then: Message, now: Message) -> Iterator[str]:
    if HEX.sub("H", then.key) != HEX.sub("H", now.key):
        yield f"its key was {then.key}"
    for name in then.headers.keys() - now.headers.keys():
        yield f"attribute {name} is gone"
    for name in FIXED:
        if now.headers.get(name) != then.headers.get(name):
            yield f"{name} was {then.headers.get(name)}"
    for path in _shape(then) - _shape(now):
        yield f"its value has no {path} any more"


def _shape(message: Message) -> set[str]:
    """Fields of a value with their types, or what kind of picture or vector it is."""
    kind = message.headers["content-type"]
    if kind == JSON:
        return set(_fields("value", json.loads(message.value)))
    if kind in (PNG, JPEG):
        with Image.open(io.BytesIO(message.value)) as picture:
            return {f"picture {picture.mode} {picture.size}"}
    return {f"{len(message.value)} bytes"}


def _fields(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield f"{path}: object"
        for name, one in value.items():
            yield from _fields(f"{path}.{name}", one)
    elif isinstance(value, list):
        yield f"{path}: list"
        for one in value:
            yield from _fields(f"{path}[]", one)
    else:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        yield f"{path}: {'number' if number else type(value).__name__}"
