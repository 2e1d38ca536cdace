"""Reads the progress topic as far as it is committed."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from kafka import TopicPartition

from pipeline.progress import Progress
from pipeline.sinks.deadline import Deadline, Stalled
from pipeline.sinks.kafka_client import consumer
from pipeline.sinks.kafka_settings import KafkaSettings
from pipeline.sinks.topics import PROGRESS

log = logging.getLogger(__name__)

POLL_MS = 200

Key = tuple[str, str]  # job, stream


def read_progress(
    settings: KafkaSettings, deadline: Deadline, *, to_the_end: bool
) -> dict[Key, Progress]:
    """The newest progress of every stream of every job.

    Args:
        settings: the cluster.
        deadline: for all of it.
        to_the_end: everything written before now counts. A transaction of another writer that is
            still open hides what was committed after it, so this waits until that one is over, at
            most until the broker gives it up. Without, what is readable now has to do.

    Raises:
        Stalled, KafkaError: the cluster does not answer, or an open transaction does not end.
    """
    topic = settings.topic(PROGRESS)
    with consumer(settings, deadline) as client:
        names = deadline.run(lambda: client.partitions_for_topic(topic))
        partitions = [TopicPartition(topic, number) for number in names]
        if to_the_end:
            with consumer(settings, deadline, committed=False) as other:
                ends = deadline.run(lambda: other.end_offsets(partitions))
        else:
            ends = deadline.run(lambda: client.end_offsets(partitions))
        newest: dict[Key, Progress] = {}
        for record in committed_records(client, ends, deadline):
            _take(newest, record)
    return newest


def committed_records(
    client: Any, ends: Mapping[TopicPartition, int], deadline: Deadline
) -> Iterator[Any]:
    """Records of the partitions from their beginnings up to `ends`.

    Raises:
        Stalled: the ends are not reached in time.
    """
    partitions = list(ends)
    client.assign(partitions)
    client.seek_to_beginning(*partitions)

    def behind() -> bool:
        return any(client.position(partition) < ends[partition] for partition in partitions)

    while deadline.run(behind):
        if not deadline.left_s:
            raise Stalled("the end of the progress topic was not reached")
        polled = deadline.run(lambda: client.poll(timeout_ms=POLL_MS))
        for records in polled.values():
            yield from records


def _take(newest: dict[Key, Progress], record: Any) -> None:
    """By epoch and sequence, not by offset: a fenced writer's late record must not win."""
    try:
        progress = Progress.from_json(json.loads(record.value))
    except (TypeError, ValueError) as error:
        log.warning("%s: offset %d holds no progress: %s", record.topic, record.offset, error)
        return
    key = (progress.job, progress.stream)
    known = newest.get(key)
    if not known or (known.epoch, known.sequence) <= (progress.epoch, progress.sequence):
        newest[key] = progress
