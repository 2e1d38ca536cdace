"""What the values of a topic are, as whoever publishes there declares it.

The table of the built-in operators' topics stands here, where a command that only lists topics can
read it: this file imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

JSON = "application/json"
PNG = "image/png"
JPEG = "image/jpeg"
OCTETS = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Format:
    """Of every value in one topic.

    Attributes:
        content_type: media type of the values.
        schema: URI of what describes a value, such as a JSON Schema's `$id`; records carry it as
            `dataschema`. None where nothing does.
    """

    content_type: str = JSON
    schema: str | None = None

    def __post_init__(self) -> None:
        if "/" not in self.content_type:
            raise ValueError(
                f"a content type is a media type such as {JSON}, got {self.content_type!r}"
            )
        if self.schema is not None and not urlsplit(self.schema).scheme:
            raise ValueError(
                f"a schema is a URI such as https://example.org/mood.v1.json, got {self.schema!r}"
            )


def ours(topic: str, content_type: str = JSON) -> Format:
    """Of a topic of dinostream's own; the schema is the `$id` of a file in pipeline/schemas."""
    return Format(content_type, f"urn:dinostream:schemas:{topic}.v1")


def _published(content_types: Mapping[str, str]) -> Mapping[str, Format]:
    return {topic: ours(topic, content_type) for topic, content_type in content_types.items()}


BUILT_IN: Mapping[str, Mapping[str, Format]] = {
    "depth": _published({"depth": PNG, "depth.summary": JSON}),
    "segmentation": _published({"segmentation": PNG, "segmentation.summary": JSON}),
    "classify": _published({"classify": JSON}),
    "action": _published({"action": JSON, "action.episodes": JSON}),
    "embedding": _published({"embedding": OCTETS}),
    "pca": _published({"pca": PNG}),
    "frames": _published({"frames": JPEG}),
    "detect": _published({"detections": JSON}),
    "zones": _published({"zones": JSON, "zones.episodes": JSON, "zones.alerts": JSON}),
    "track": _published({"tracks": JSON, "tracks.zones": JSON, "lines.crossed": JSON}),
    "tamper": _published({"tamper": JSON, "tamper.episodes": JSON}),
    "anomaly": _published({"anomaly": PNG, "anomaly.summary": JSON}),
}
"""Built-in operator -> its topics."""

_OPERATORS = {topic: operator for operator, topics in BUILT_IN.items() for topic in topics}


def operator_of(topic: str) -> str:
    """Who publishes there; a user's own operator in topics of its name."""
    return _OPERATORS.get(topic, topic.partition(".")[0])
