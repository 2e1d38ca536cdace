"""Adding up what engines did that came after each other."""

from __future__ import annotations

import pickle
import sys
import threading
from dataclasses import replace

import pytest

from pipeline.engine.camera import Camera
from pipeline.engine.latency import Spent
from pipeline.engine.tally import Outcome, Tally
from pipeline.records.record import Message
from pipeline.sinks.sink import Receipt
from pipeline.stream.progress import Progress


def test_a_stream_that_two_engines_saw_end_has_one_outcome() -> None:
    before = Tally(frames=5, outcomes=[Outcome("a", "degraded", "torn", decoded=9, lost=1)])
    after = Tally(frames=3, outcomes=[Outcome("a", "degraded", resumed=True), Outcome("b", "ok")])
    both = before + after
    assert both.frames == 8
    assert both.outcomes == [before.outcomes[0], after.outcomes[1]]
    again = Tally(outcomes=[Outcome("a", "ok", decoded=9)])
    assert (both + again).outcomes == [again.outcomes[0], after.outcomes[1]], "the newest counts"


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch):
    """Threads that interrupt each other as often as they can."""
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before_s)


@pytest.mark.slow
def test_a_snapshot_can_be_sent_while_the_shard_counts(hasty) -> None:
    tally = Tally()
    over = threading.Event()

    def count() -> None:
        """As a shard does: every container changes its size again and again."""
        number = 0
        while not over.is_set():
            number += 1
            for size in range(40):
                tally.count(Receipt(written=1), [Message(f"t{number}.{size}", "k", {}, b"")])
                tally.batches[size] += 1
                tally.undelivered[f"c{size}"] += 1
                tally.shares[f"s{size}"] = tally.frames = size
                tally.cameras[f"c{size}"] = Camera(size, {"full": size})
                tally.outcomes.append(Outcome(f"s{size}", "ok"))
            for kept in (tally.records, tally.batches, tally.undelivered, tally.shares):
                kept.clear()
            tally.cameras.clear()
            tally.outcomes.clear()

    shard = threading.Thread(target=count)
    shard.start()
    try:
        for _ in range(3000):
            sent = tally.snapshot()
            assert pickle.loads(pickle.dumps(sent)) == sent
    finally:
        over.set()
        shard.join()


def test_a_snapshot_keeps_latencies_as_they_were_and_copies_none() -> None:
    """Of a thousand cameras few have had a commit since the last one."""
    tally, spent = Tally(), [Spent(0.1, 0.1, 0.1, 0.1)]
    for stream in ("a", "b"):
        tally.see(Progress("job", stream), 1, {}, spent, 0)
    before = tally.snapshot()
    tally.see(Progress("job", "a"), 2, {}, spent, 0)
    assert sum(before.latencies["a"].total.counts) == 1
    assert sum(tally.latencies["a"].total.counts) == 2
    assert tally.latencies["b"] is before.latencies["b"]


def test_what_is_new_makes_a_whole_of_what_was_known() -> None:
    """A driver knows as much as if it had been told all; of who has had no news nothing is sent."""
    tally, spent = Tally(), [Spent(0.1, 0.1, 0.1, 0.1)]
    for stream in ("a", "b", "c"):
        tally.see(Progress("job", stream), 1, {}, spent, 0)
    known = told = tally.snapshot()
    assert told.since(Tally()).upon(Tally()) == told
    tally.see(Progress("job", "a"), 2, {"full": 1}, spent, 0)
    tally.turn("b", "lost", "the connection ended")
    tally.forget("c")
    tally.frames = 4
    news = tally.snapshot().since(told)
    assert list(news.cameras) == ["a", "b", "c"]
    assert list(news.latencies) == ["a"]
    known = pickle.loads(pickle.dumps(news)).upon(known)
    assert known == replace(tally, earlier={})
    told = tally.snapshot()
    assert tally.snapshot().since(told).cameras == {}
    assert tally.snapshot().since(told).upon(known) == known


def test_both_of_two_tallies_adds_up_what_both_know() -> None:
    before, after = Tally(), Tally()
    for tally, stream in ((before, "a"), (after, "a"), (after, "b")):
        tally.see(Progress("job", stream), 1, {}, [Spent(0.1, 0.1, 0.1, 0.1)], 0)
    both = (before + after).latencies
    assert {stream: sum(one.total.counts) for stream, one in both.items()} == {"a": 2, "b": 1}
    assert sum(before.latencies["a"].total.counts) == 1
