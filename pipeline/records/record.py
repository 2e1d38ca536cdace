"""One record: as it goes to a sink, and as it lies there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """One CloudEvent in binary mode.

    Attributes:
        topic: topic name without the prefix.
        key: Kafka key: the stream id, or the label set's name.
        headers: `content-type` and `ce_` attributes, all strings.
        value: the payload.
    """

    topic: str
    key: str
    headers: Mapping[str, str]
    value: bytes

    @property
    def id(self) -> str:
        return self.headers["ce_id"]

    @property
    def position(self) -> str:
        """Of an operator's record, as its id has it, without what tells several of a frame
        apart."""
        return self.id.split("/")[3].partition(".")[0]


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One record as it lies in a sink.

    Attributes:
        timestamp_us: when it was published.
        offset: SQLite row or Kafka offset.
        partition: Kafka partition, 0 in SQLite.
    """

    message: Message
    timestamp_us: int
    offset: int
    partition: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that is too large for its topic, alone and compressed.

    Attributes:
        topic, id: the record.
        size_bytes: of its value.
        limit_bytes: what the topic takes, the headers included.
    """

    topic: str
    id: str
    size_bytes: int
    limit_bytes: int
