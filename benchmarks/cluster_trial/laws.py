"""What must hold of all that a sink holds, whatever was done to the cluster. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from benchmarks.cluster_trial.deliveries import EVENTS, Delivery, told

# What tells why a session ended. A new epoch explains it as well: who held the stream is replaced.
REASONS = {"disconnected", "crashed", "stalled", "discontinuity"}


def broken(deliveries: Iterable[Delivery]) -> list[str]:
    """Every breach of a law, in words.

    Args:
        deliveries: all records of a sink, those of each stream and topic in their order.
    """
    deliveries = list(deliveries)
    return [
        *_payloads(deliveries),
        *_positions(deliveries),
        *_epochs(deliveries),
        *_sessions(deliveries),
    ]


def _payloads(deliveries: Iterable[Delivery]) -> Iterator[str]:
    """Equal id means equal payload."""
    known: dict[str, str] = {}
    for one in deliveries:
        if known.setdefault(one.id, one.payload) != one.payload:
            yield f"{one.id} has two payloads"


def _positions(deliveries: Iterable[Delivery]) -> Iterator[str]:
    """A frame has one record of an operator."""
    known: set[tuple[str, ...]] = set()
    for one in deliveries:
        if one.topic == EVENTS:
            continue
        place = (one.topic, one.stream, one.session, one.position)
        if place in known:
            yield f"{'/'.join(place)} is there twice"
        known.add(place)


def _epochs(deliveries: Iterable[Delivery]) -> Iterator[str]:
    """Behind the first record of an epoch there is none of an older one."""
    newest: defaultdict[tuple[str, str], int] = defaultdict(int)
    for one in deliveries:
        place = (one.topic, one.stream)
        if one.epoch < newest[place]:
            yield f"{one.id} of epoch {one.epoch} lies behind epoch {newest[place]}"
        newest[place] = max(newest[place], one.epoch)


def _sessions(deliveries: Iterable[Delivery]) -> Iterator[str]:
    """Every session has begun, and there is a reason for it."""
    begun: defaultdict[str, set[str]] = defaultdict(set)
    epochs: defaultdict[str, int] = defaultdict(int)
    broken_off: set[str] = set()
    for one in deliveries:
        if told(one) in REASONS:
            broken_off.add(one.stream)
        if told(one) != "started":
            continue
        if one.stream not in broken_off and one.epoch <= epochs[one.stream]:
            yield f"{one.stream}: nothing tells why session {one.session} began"
        begun[one.stream].add(one.session)
        epochs[one.stream] = one.epoch
        broken_off.discard(one.stream)
    for stream, session in sorted({(d.stream, d.session) for d in deliveries if d.topic != EVENTS}):
        if session not in begun[stream]:
            yield f"{stream}: no event tells that session {session} began"
