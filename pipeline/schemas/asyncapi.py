"""The topics as an AsyncAPI 3 document, which holds all schemas in itself.

Made of the table of topics and the schemas, so that it says what they say.
"""

from __future__ import annotations

from typing import Any

from pipeline.records.topics import ANY_SIZE, CLAIMS, PROGRESS, TOPICS, Topic
from pipeline.schemas.catalogue import Json, moved, of_headers, of_value, schemas
from pipeline.version import version

BINDING = "0.5.0"  # version of AsyncAPI's words for Kafka
KEYS = {"labels": "label set", PROGRESS: "job/stream", CLAIMS: "job/stream"}
DESCRIPTION = (
    "Video streams as facts on Kafka. Messages are CloudEvents 1.0 in binary mode: attributes are "
    "headers, the value is the payload. Read with isolation.level read_committed, and take each "
    "ce_id once."
)


def document() -> Json:
    """As JSON values."""
    described = schemas()
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "dinostream", "version": version(), "description": DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {_name(topic): _channel(topic, described) for topic in TOPICS.values()},
        "operations": {
            f"send{_name(topic)[0].upper()}{_name(topic)[1:]}": _operation(topic)
            for topic in TOPICS.values()
        },
        "components": {
            "parameters": {
                "prefix": {"description": "topic_prefix of the sink", "default": "dinostream"}
            },
            "messages": {_name(topic): _message(topic, described) for topic in TOPICS.values()},
            "schemas": {name: _inside(schema) for name, schema in described.items()},
        },
    }


def _name(topic: Topic) -> str:
    """As identifiers are written there: `depth.summary` is `depthSummary`."""
    first, *rest = topic.name.split(".")
    return first + "".join(part.capitalize() for part in rest)


def _channel(topic: Topic, described: dict[str, Json]) -> Json:
    name = _name(topic)
    return {
        "address": f"{{prefix}}.{topic.name}",
        "description": described[of_value(topic.name)]["title"],
        "parameters": {"prefix": _to("components", "parameters", "prefix")},
        "messages": {name: _to("components", "messages", name)},
        "bindings": {"kafka": _as_kafka_has_it(topic)},
    }


def _as_kafka_has_it(topic: Topic) -> Json:
    """As `dinostream topics create` makes it."""
    any_size = topic.retention_bytes == ANY_SIZE
    return {
        "partitions": topic.partitions,
        "topicConfiguration": {
            "cleanup.policy": ["compact" if topic.compacted else "delete"],
            "retention.ms": topic.retention_ms,
            **({} if any_size else {"retention.bytes": topic.retention_bytes}),
            "max.message.bytes": topic.max_message_bytes,
        },
        "bindingVersion": BINDING,
    }


def _operation(topic: Topic) -> Json:
    return {"action": "send", "channel": _to("channels", _name(topic))}


def _message(topic: Topic, described: dict[str, Json]) -> Json:
    key = {"type": "string", "description": KEYS.get(topic.name, "stream id")}
    return {
        "name": f"dinostream.{topic.name}.v1",
        "title": described[of_value(topic.name)]["title"],
        "contentType": topic.format.content_type,
        "headers": _to("components", "schemas", of_headers(topic.name)),
        "payload": _to("components", "schemas", of_value(topic.name)),
        "bindings": {"kafka": {"key": key, "bindingVersion": BINDING}},
    }


def _inside(schema: Json) -> Any:
    """A base of its own would lead its references away."""
    bare = {key: value for key, value in schema.items() if key not in ("$id", "$schema")}
    return moved(bare, "#/components/schemas/")


def _to(*place: str) -> Json:
    return {"$ref": f"#/{'/'.join(place)}"}
