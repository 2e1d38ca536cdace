"""Which of a topic's partitions a key belongs to. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kafka.partitioner import murmur2


def partition_of(stream: str, numbers: Sequence[int]) -> int:
    """Where every client puts records with this key that partitions as the Java one does.

    Args:
        stream: the key.
        numbers: of the topic's partitions, sorted.
    """
    hashed: int = murmur2(stream.encode()) & 0x7FFFFFFF
    return numbers[hashed % len(numbers)]
