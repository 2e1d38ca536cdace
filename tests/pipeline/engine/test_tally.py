"""Adding up what engines did that came after each other."""

from __future__ import annotations

import pickle
import sys
import threading

import pytest

from pipeline.engine.camera import Camera
from pipeline.engine.tally import Outcome, Tally
from pipeline.records.record import Message
from pipeline.sinks.sink import Receipt


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
