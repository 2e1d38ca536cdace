"""One pass as a member of a consumer group: the group's members share the partitions, and whoever
gets one goes on behind what was done of it.

Offsets are committed when their records are done: once a second, when a partition goes to another
member, and at the end. See `pipeline.sinks.reading.Reading`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from typing import Any

from kafka import TopicPartition
from kafka.consumer.subscription_state import AsyncConsumerRebalanceListener
from kafka.errors import CommitFailedError, KafkaError, RebalanceInProgressError
from kafka.structs import OffsetAndMetadata

from pipeline.sinks.kafka.client import CLOSE_S
from pipeline.sinks.kafka.deadline import Deadline, Stalled
from pipeline.sinks.kafka.reading import POLL_MS, KafkaReading, Places
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.sinks.reading import Plan

log = logging.getLogger(__name__)

COMMIT_S = 1.0  # between two commits; one takes 9 ms


class GroupReading(KafkaReading):
    """Of a member. Records are taken from the client one by one, so that none waits here for a body
    while its partition goes to somebody else."""

    def __init__(self, settings: KafkaSettings, plan: Plan) -> None:
        super().__init__(settings, plan)
        self.uncommitted: Places = {}
        self._committed_s = time.monotonic()
        self._topics: list[str] = []

    def close(self) -> None:
        if self._client:
            try:
                Deadline(CLOSE_S).run(self._commit)
            except (KafkaError, Stalled) as error:
                log.warning("what was done last is not committed and comes again: %r", error)
        super().close()

    def _assign(self) -> None:
        """Say what is wanted; the group assigns partitions at the next poll."""
        topics = sorted(self._ask(self._wanted).values())
        if topics == self._topics:
            return
        self._topics = topics
        if topics:
            handover = _Handover(self._client, self.uncommitted)
            self._client.subscribe(topics=topics, listener=handover)
        else:
            self._client.unsubscribe()

    def _poll(self) -> list[Any]:
        if not self._topics:
            self._cut.wait(POLL_MS / 1000)
            return []
        if time.monotonic() - self._committed_s >= COMMIT_S:
            self._ask(self._commit_while_it_is_ours)
        return self._fetch(lambda: self._client.poll(timeout_ms=POLL_MS, max_records=1))

    def _stand(self, topic: str, partition: int, offset: int) -> None:
        super()._stand(topic, partition, offset)
        self.uncommitted[TopicPartition(self._settings.topic(topic), partition)] = offset

    def _go(self, places: Places) -> None:
        """A member that ends before its first record must not begin elsewhere the next time."""
        super()._go(places)
        self.uncommitted |= places

    def _commit_while_it_is_ours(self) -> None:
        try:
            self._commit()
        except RebalanceInProgressError:
            pass  # the next poll takes part in it, and hands over
        except CommitFailedError:
            self.uncommitted.clear()
            log.warning(
                "group %s gave this member's partitions to others, as it was silent for too long "
                "or a body took over 5 minutes; what it did last comes again",
                self._plan.group,
            )

    def _commit(self) -> None:
        if self.uncommitted:
            self._client.commit(_committable(self.uncommitted))
        self.uncommitted.clear()
        self._committed_s = time.monotonic()


class _Handover(AsyncConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types
    """Is called while a poll waits, on the client's own thread."""

    def __init__(self, client: Any, uncommitted: Places) -> None:
        self._client = client
        self._uncommitted = uncommitted

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        if self._uncommitted:
            try:
                await self._client.commit_async(_committable(self._uncommitted))
            except KafkaError as error:
                log.warning("what was done last is not committed and comes again: %r", error)
        self._uncommitted.clear()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Each goes on where its offset was committed."""

    async def on_partitions_lost(self, lost: Collection[TopicPartition]) -> None:
        if self._uncommitted:
            log.warning("the group had gone on without this member; what it did last comes again")
        self._uncommitted.clear()


def _committable(places: Places) -> dict[TopicPartition, OffsetAndMetadata]:
    return {one: OffsetAndMetadata(offset, "", -1) for one, offset in places.items()}
