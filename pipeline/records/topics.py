"""The topics of dinostream: what each holds and how long a broker should keep it.

Pure data; `pipeline.sinks.uri.create_topics` hands it to a broker.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from operators.errors import UsageError
from operators.format import BUILT_IN, JPEG, Format, ours

DAY_MS = 24 * 3600 * 1000
FOREVER_MS = -1
ANY_SIZE = -1


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic, without the prefix.

    Attributes:
        format: of every value in it.
        compacted: the broker keeps the newest record of each key instead of the newest days.
        retention_ms: how long records stay, -1 for ever.
        retention_bytes: how much of each partition stays, -1 all.
        partitions: a stream is ordered within its one partition.
        max_message_bytes: the largest record that the broker takes.
    """

    name: str
    format: Format
    compacted: bool = False
    retention_ms: int = 7 * DAY_MS
    retention_bytes: int = ANY_SIZE
    partitions: int = 8
    max_message_bytes: int = 8 * 1024 * 1024

    def config(self) -> dict[str, str]:
        """Topic configuration as Kafka names it."""
        config = {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": str(self.retention_ms),
            "max.message.bytes": str(self.max_message_bytes),
        }
        if self.retention_bytes != ANY_SIZE:
            config["retention.bytes"] = str(self.retention_bytes)
        if self.compacted:
            # An active segment is never compacted; every claim would read the broker's 1 GiB.
            config |= {"segment.bytes": str(16 * 1024 * 1024), "min.cleanable.dirty.ratio": "0.1"}
        return config


def _topic(name: str, declared: Format) -> Topic:
    """Of an operator of ours. Pictures say most of people and take most room: they go first."""
    if declared.content_type == JPEG:
        return Topic(name, declared, retention_ms=DAY_MS, retention_bytes=4 << 30)
    return Topic(name, declared)


TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        *(
            _topic(name, declared)
            for of_operator in BUILT_IN.values()
            for name, declared in of_operator.items()
        ),
        Topic("labels", ours("labels"), compacted=True, retention_ms=FOREVER_MS, partitions=1),
        Topic("events", ours("events"), retention_ms=30 * DAY_MS),
        Topic("deadletter", ours("deadletter"), retention_ms=30 * DAY_MS),
        Topic("unchanged", ours("unchanged")),
        Topic("shots", ours("shots")),
        Topic("manifest", ours("manifest"), retention_ms=30 * DAY_MS),
        Topic("progress", ours("progress"), compacted=True, retention_ms=FOREVER_MS),
        Topic("claims", ours("claims"), compacted=True, retention_ms=FOREVER_MS, partitions=1),
    )
}

PROGRESS, CLAIMS = "progress", "claims"
EVENTS, DEADLETTER, MANIFEST, UNCHANGED = "events", "deadletter", "manifest", "unchanged"
SHOTS = "shots"
OF_EVERY_RUN = (EVENTS, DEADLETTER, MANIFEST, PROGRESS, CLAIMS)  # beside those of its operators


def topic_named(name: str) -> Topic:
    """The topic of that name; one that a user's operator writes to is like our JSON topics."""
    return TOPICS.get(name) or Topic(name, Format())


def data_topics(existing: Sequence[str]) -> list[str]:
    """What a reader follows when no topic is named: everything but what we keep for ourselves."""
    return [name for name in existing if name not in (PROGRESS, CLAIMS)]


def require_topics(asked: Sequence[str], existing: Collection[str]) -> None:
    """Refuse topics that are neither ours nor in the sink.

    Raises:
        UsageError: names the nearest topic.
    """
    known = sorted({*TOPICS, *existing})
    for name in asked:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise UsageError(f"no topic {name!r}; {hint}there are: {', '.join(known)}")


@dataclass(frozen=True, slots=True)
class TopicReport:
    """What became of one topic: `created`, `existing`, or `different` from the table, with how."""

    name: str
    outcome: str
    differences: tuple[str, ...] = ()
