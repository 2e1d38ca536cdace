"""The sink's thread: what waits goes together, errors reach the loop, and end it."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from pipeline.engine.committer import Claimed, Committed, Committer, Refusal
from pipeline.engine.line import MOST_BYTES, Claim
from pipeline.engine.observer import StageSeconds
from pipeline.errors import RecordsTooLarge, SinkAway, SinkError
from pipeline.records.commit import Commit, Link
from pipeline.records.record import Message, Refused
from pipeline.sinks.patient import PatientSink
from pipeline.sinks.spill.spill import Spill
from pipeline.testing import ListSink, ManualClock

DEAF = StageSeconds({})


class GatedSink(ListSink):
    """Every commit waits until it is let through; notes what came together."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.gate = threading.Semaphore(0), threading.Semaphore(0)
        self.together: list[list[tuple[str, int]]] = []
        self.error: Exception | None = None

    def commit(self, commits):
        self.entered.release()
        assert self.gate.acquire(timeout=60)
        if self.error:
            raise self.error
        self.together.append([(one.progress.stream, one.progress.sequence) for one in commits])
        return super().commit(commits)


@pytest.fixture
def sink():
    return GatedSink()


@pytest.fixture
def committer(sink):
    made = Committer(PatientSink(sink, patience_s=0.0), DEAF, ManualClock(7.0))
    yield made
    sink.gate.release(99)
    made.close()


def commits_of(sink, streams: str, size: int = 3) -> list[Commit]:
    claimed = sink.claim(dict.fromkeys(streams, "job"))
    return [
        Commit(
            (Message("depth", stream, {"ce_id": f"{stream}/1"}, bytes(size)),),
            replace(claimed[stream], sequence=1),
        )
        for stream in streams
    ]


def taken(committer: Committer, answers: int) -> list:
    news = []
    while len(news) < answers:
        committer.wait(60)
        news += committer.take()
    return news


def test_what_waits_while_the_sink_is_busy_goes_in_one_transaction(committer, sink):
    first, *others = commits_of(sink, "abcd")
    committer.put(first)
    assert sink.entered.acquire(timeout=60)
    for commit in others:
        committer.put(commit)
    assert committer.take() == []
    sink.gate.release(2)
    one, rest = taken(committer, 2)
    assert (one.commits, rest.commits) == ((first,), tuple(others))
    assert (one.receipt.written, rest.receipt.written, rest.at_s) == (1, 3, 7.0)
    assert sink.together == [[("a", 1)], [("b", 1), ("c", 1), ("d", 1)]]
    assert not committer.busy


def test_a_transaction_is_not_larger_than_it_must_be(committer, sink):
    first, *others = commits_of(sink, "abcd", size=MOST_BYTES // 2)
    committer.put(first)
    assert sink.entered.acquire(timeout=60)
    for commit in others:
        committer.put(commit)
    sink.gate.release(3)
    assert [len(one.commits) for one in taken(committer, 3)] == [1, 2, 1]


def test_a_claim_keeps_its_place_between_commits(committer, sink):
    a, b, c = commits_of(sink, "abc")
    committer.put(a)
    assert sink.entered.acquire(timeout=60)
    for work in (b, Claim({"new": "job"}), c):
        committer.put(work)
    sink.gate.release(3)
    kinds = [type(one) for one in taken(committer, 4)]
    assert kinds == [Committed, Committed, Claimed, Committed]
    assert sink.stored["job", "new"].epoch == 1


def test_what_the_sink_cannot_take_comes_back_whole(committer, sink):
    commits = commits_of(sink, "ab")
    sink.error = RecordsTooLarge("too large", [Refused("depth", "a/1", 3, 2)])
    committer.put(commits[0])
    sink.gate.release()
    (refusal,) = taken(committer, 1)
    assert refusal == Refusal((commits[0],), sink.error)
    sink.error = None
    committer.put(commits[1])
    sink.gate.release()
    assert isinstance(taken(committer, 1)[0], Committed), "it goes on"


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (SinkError("somebody took the stream"), SinkError),
        (SinkError("nobody listens", retryable=True), SinkAway),
        (ValueError("a bug"), ValueError),
    ],
)
def test_an_error_is_raised_to_the_loop_and_nothing_is_done_after_it(
    committer, sink, error, raised
):
    a, b, c = commits_of(sink, "abc")
    committer.put(a)
    assert sink.entered.acquire(timeout=60)
    committer.put(b)
    sink.gate.release()
    assert sink.entered.acquire(timeout=60)
    sink.error = error
    committer.put(c)
    sink.gate.release()
    (done,) = taken(committer, 1)
    assert done.commits == (a,), "what was done before the error is known before it"
    committer.wait(60)
    with pytest.raises(raised):
        committer.take()
    assert sink.together == [[("a", 1)]]


def test_closing_waits_for_what_runs_and_begins_no_more(sink):
    committer = Committer(PatientSink(sink), DEAF)
    a, b = commits_of(sink, "ab")
    committer.put(a)
    assert sink.entered.acquire(timeout=60)
    committer.put(b)
    closer = threading.Thread(target=committer.close)
    closer.start()
    while not committer._line.closed:
        closer.join(timeout=0.01)
    closer.join(timeout=0.1)
    assert closer.is_alive(), "it waits for the transaction that runs"
    sink.gate.release(2)
    closer.join(timeout=60)
    assert sink.together == [[("a", 1)]]


TRANSACTIONS = 10


class NotedSpill(Spill):
    """Notes that something was kept."""

    def __init__(self, folder) -> None:
        super().__init__(folder, most_bytes=1 << 30)
        self.took = threading.Event()

    def append(self, commits, *, sent=0) -> None:
        super().append(commits, sent=sent)
        self.took.set()


def test_a_log_gets_empty_though_a_commit_comes_during_every_transaction(sink, tmp_path):
    """A sink that is there and slow: a transaction takes as long as keeping would, or longer."""
    spill = NotedSpill(tmp_path / "log")
    first, *others = [
        replace(one, link=Link(0, {}, {}))
        for one in commits_of(sink, [f"cam{number}" for number in range(TRANSACTIONS)])
    ]
    spill.append([first])
    spill.took.clear()
    committer = Committer(PatientSink(sink), DEAF, spill=spill, keep_after_s=60.0)
    for commit in others:
        assert sink.entered.acquire(timeout=60)
        committer.put(commit)
        assert not spill.took.wait(0.1)
        sink.gate.release()
    sink.gate.release()
    done = taken(committer, TRANSACTIONS)
    assert [one.commits for one in done] == [(one,) for one in (first, *others)]
    assert [one.kept for one in done] == [1] + [0] * len(others), "straight to the sink"
    committer.close()
    spill.close()
