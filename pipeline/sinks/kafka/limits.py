"""How large batches and records may be, topic by topic: as the broker says, or as it was found out.

A broker holds `max.message.bytes` against compressed batches, and the client's own way of splitting
a batch that was refused loses sight of its records. So no batch is made that a topic may not take,
and a record that is too large by itself is known before it is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.records.record import Message, Refused
from pipeline.sinks.kafka.record import batch_bytes, estimated_bytes, is_below

ALONE_BYTES = 1  # every record has a batch of its own


class Limits:
    """Of one sink. What is known of a topic only ever gets smaller."""

    def __init__(self, *, request_bytes: int, compression: str, batch_bytes: int) -> None:
        """
        Args:
            request_bytes: the client's `max_request_size`.
            compression: of batches, by its name.
            batch_bytes: how large batches are where the topics take more.
        """
        self._request = request_bytes
        self._compression = compression
        self._batch = batch_bytes
        self._topics: dict[str, int] = {}

    @property
    def batch_bytes(self) -> int:
        """What every topic takes. A single record may be larger."""
        return max(ALONE_BYTES, min([self._batch, *self._topics.values()]))

    def learn(self, topics: Mapping[str, int]) -> None:
        """What the broker says of some topics."""
        for topic, limit in topics.items():
            self._topics[topic] = min(limit, self._topics.get(topic, limit))

    def refused(self, messages: Sequence[Message]) -> bool:
        """The broker refused a batch of these. From now on each record goes alone; what was refused
        so is too large, and all that is larger.

        Returns:
            Whether that is news: else the next attempt would end in the same way.
        """
        if self._batch != ALONE_BYTES:
            self._batch = ALONE_BYTES
            return True
        before = dict(self._topics)
        self.learn({m.topic: batch_bytes(m, self._compression) - 1 for m in messages})
        return before != self._topics

    def too_large(self, messages: Sequence[Message]) -> list[Refused]:
        """Those that cannot be sent even alone."""
        found = []
        for message in messages:
            limit = self._topics.get(message.topic, self._request)
            if is_below(message, min(limit, self._request)):
                continue
            size = estimated_bytes(message)
            if size > self._request:
                limit = min(limit, self._request)
            elif size <= limit or batch_bytes(message, self._compression) <= limit:
                continue
            found.append(Refused(message.topic, message.id, len(message.value), limit))
        return found
