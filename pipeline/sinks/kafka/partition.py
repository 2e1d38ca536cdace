"""Which of a topic's partitions a key belongs to. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kafka.partitioner import murmur2

from pipeline.records.record import Message


def partition_of(key: str, numbers: Sequence[int]) -> int:
    """Where every client puts records with this key that partitions as the Java one does.

    Args:
        key: of the records, mostly the stream.
        numbers: of the topic's partitions, sorted.
    """
    hashed: int = murmur2(key.encode()) & 0x7FFFFFFF
    return numbers[hashed % len(numbers)]


def partitions_of(
    messages: Sequence[Message], numbers: Callable[[str], Sequence[int]]
) -> list[int]:
    """Of each message; looked up once for each topic and key.

    Args:
        messages: in order.
        numbers: topic without the prefix -> its partitions, sorted.
    """
    found: dict[tuple[str, str], int] = {}
    for message in messages:
        where = (message.topic, message.key)
        if where not in found:
            found[where] = partition_of(message.key, numbers(message.topic))
    return [found[message.topic, message.key] for message in messages]
