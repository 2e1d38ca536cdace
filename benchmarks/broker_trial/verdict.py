"""Whether a sink holds what two runs should have written, whatever was done to brokers. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.cluster_trial.deliveries import Delivery, told
from benchmarks.cluster_trial.figure import Figure
from benchmarks.cluster_trial.laws import broken


def of_replay(
    deliveries: Sequence[Delivery], topic: str, expected: Mapping[str, str]
) -> Iterator[Figure]:
    """A recording's records, held against those of a run that nothing happened to.

    Args:
        deliveries: of the stream, in their order.
        topic: that is looked at.
        expected: id -> payload, in order.
    """
    found = [(one.id, one.payload) for one in deliveries if one.topic == topic]
    lost = len(expected.keys() - dict(found).keys())
    yield Figure("replay: lost", lost, "records", 0, f"{len(expected)} expected")
    yield Figure("replay: doubled", len(found) - len(dict(found)), "records", 0)
    altered = sum(expected.get(id) != payload for id, payload in found)
    yield Figure("replay: altered or invented", altered, "records", 0)
    yield Figure("replay: out of order", int([id for id, _ in found] != [*expected]), "", 0)


def of_camera(deliveries: Sequence[Delivery], topic: str) -> Iterator[Figure]:
    """A camera's records, held against its laws and its ledger; arguments as of `of_replay`."""
    breaches = broken(deliveries)
    yield Figure("live: laws broken", len(breaches), "", 0, "; ".join(breaches[:3]))
    records = sum(one.topic == topic for one in deliveries)
    (ended,) = [one.event for one in deliveries if one.event and told(one) == "ended"]
    ledger = ended["operators"][topic]
    why = f"{records} records; {ledger.get('dropped', 0)} frames dropped, and told"
    strange = abs(ledger["sampled"] - records) + abs(ledger["published"] - records)
    yield Figure("live: lost, or unknown to the ledger", strange, "records", 0, why)
    drops = [one.event["dropped"] for one in deliveries if one.event and told(one) == "dropped"]
    untold = abs(ledger.get("dropped", 0) - sum(drops))
    yield Figure("live: dropped and not told by an event", untold, "frames", 0)


def unlike(along: Sequence[Delivery], late: Sequence[Delivery]) -> int:
    """Streams of topics whose records two readers of the sink saw otherwise."""
    return sum(
        [(one.id, one.payload) for one in along if (one.topic, one.stream) == place]
        != [(one.id, one.payload) for one in late if (one.topic, one.stream) == place]
        for place in {(one.topic, one.stream) for one in (*along, *late)}
    )
