"""Outages of a sink: borne as long as patience lasts, told at once and every minute."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace

import pytest

from pipeline.errors import FencedError, SinkAway, SinkError
from pipeline.records.commit import Commit
from pipeline.records.outage import Outage, away_s, span
from pipeline.sinks.patient import LONGEST_PAUSE_S, PatientSink
from pipeline.stream.progress import Progress
from pipeline.testing import ListSink, ManualClock

START_US = 1_700_000_000_000_000


class Flaky(ListSink):
    """Away for the next `attempts_s`, one entry per attempt: how long it takes to fail."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock
        self.attempts_s: list[float] = []
        self.error = SinkError("nobody listens", retryable=True)

    def _fail(self) -> None:
        if self.attempts_s:
            self._clock.advance(self.attempts_s.pop(0))
            raise self.error

    def claim(self, jobs, *, fresh=False):
        self._fail()
        return super().claim(jobs, fresh=fresh)

    def commit(self, commits):
        self._fail()
        return super().commit(commits)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def flaky(clock):
    return Flaky(clock)


@pytest.fixture
def patient(clock, flaky):
    """Makes patient sinks whose pauses take no time."""

    def make(**options):
        made = PatientSink(
            flaky,
            name="the broker h:9092",
            clock=clock,
            clock_us=lambda: START_US,
            wait=clock.advance,
            **options,
        )
        made.progress = replace(made.claim({"a": "job"})["a"], sequence=1)
        return made

    return make


def test_an_outage_is_borne_told_and_remembered(patient, flaky, clock, caplog):
    told: list[Outage | None] = []
    sink = patient(tell=told.append)
    flaky.attempts_s = [10.0] * 30
    with caplog.at_level(logging.WARNING):
        sink.commit([Commit([], sink.progress)])
    assert flaky.stored["job", "a"].sequence == 1
    assert told[0] == Outage(START_US, 10.0, 1, "nobody listens")
    assert told[-1] is None
    assert sink.take_ended() == [told[-2]]
    assert sink.take_ended() == []
    assert told[-2].attempts == 30
    pauses_s = 0.2 + 0.4 + 0.8 + 1.6 + 25 * LONGEST_PAUSE_S
    assert told[-2].duration_s == pytest.approx(30 * 10 + pauses_s, abs=2)
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "the broker h:9092 is away since 10 s, retrying: nobody listens"
    assert len(lines) == 1 + 5 + 1, "at once, every minute, and the end"
    assert lines[-1].startswith("the broker h:9092 takes records again, after 5 min")


def test_patience_that_is_over(patient, flaky):
    sink = patient(patience_s=60.0)
    flaky.attempts_s = [2.0] * 1000
    said = r"h:9092 is away since 1 min 1 s, and patience of 60 s is over: nobody listens"
    with pytest.raises(SinkAway, match=said):
        sink.commit([Commit([], sink.progress)])
    assert flaky.stored["job", "a"].sequence == 0


def test_no_patience_at_all_is_one_attempt(patient, flaky):
    sink = patient(patience_s=0.0)
    flaky.attempts_s = [2.0] * 2
    with pytest.raises(SinkAway):
        sink.commit([Commit([], sink.progress)])
    assert len(flaky.attempts_s) == 1


def test_what_another_attempt_cannot_change_is_raised(patient, flaky):
    sink = patient()
    flaky.attempts_s, flaky.error = [0.0], FencedError("another writer")
    with pytest.raises(FencedError):
        sink.commit([Commit([], sink.progress)])


def test_a_wrong_address_is_told_at_the_first_attempt_and_an_outage_later_is_borne(flaky, clock):
    sink = PatientSink(flaky, clock=clock, wait=clock.advance)
    flaky.attempts_s = [10.0, 10.0]
    with pytest.raises(SinkError, match="nobody listens"):
        sink.claim({"a": "job"})
    assert len(flaky.attempts_s) == 1
    again = PatientSink(flaky, clock=clock, wait=clock.advance)
    again.meet()
    assert again.claim({"a": "job"})["a"].epoch == 1


def test_an_interrupt_ends_a_pause_and_an_attempt_that_hangs(clock):
    """Real threads: the pause, or the attempt, is in the way of whoever wants to end."""

    class Hanging(ListSink):
        def __init__(self) -> None:
            super().__init__()
            self.entered, self.released = threading.Event(), threading.Event()

        def commit(self, commits):
            self.entered.set()
            assert self.released.wait(timeout=60)
            raise SinkError("cut", retryable=True)

        def interrupt(self) -> None:
            self.released.set()

    inner = Hanging()
    sink = PatientSink(inner, clock=clock)
    progress: Progress = sink.claim({"a": "job"})["a"]

    def interrupt() -> None:
        inner.entered.wait(timeout=60)
        clock.advance(20.0)  # so long has it been at it
        sink.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(SinkAway, match="is away since 20 s, and the run is to end: cut"):
        sink.commit([Commit([], replace(progress, sequence=1))])
    thread.join()

    flaky = Flaky(clock)
    flaky.attempts_s = [0.0] * 1000
    waiting = threading.Event()
    second = PatientSink(flaky, clock=clock, tell=lambda _: waiting.set())
    second.meet()
    thread = threading.Thread(target=lambda: waiting.wait(timeout=60) and second.interrupt())
    thread.start()
    with pytest.raises(SinkAway):
        second.commit([Commit([], progress)])
    thread.join()


def test_an_interrupt_of_a_sink_that_works_does_no_harm(patient, flaky):
    sink = patient()
    sink.interrupt()
    assert sink.commit([Commit([], sink.progress)]).written == 0
    assert flaky.stored["job", "a"].sequence == 1


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.9, "59 s"), (190, "3 min 10 s"), (7500, "2 h 5 min")]
)
def test_a_length_of_time_for_a_person(seconds, text):
    assert span(seconds) == text


def test_what_two_engines_saw_of_one_outage_counts_once():
    outages = [
        Outage(START_US, 10.0, 3, ""),
        Outage(START_US + 4_000_000, 10.0, 3, ""),
        Outage(START_US + 100_000_000, 5.0, 1, ""),
    ]
    assert away_s(outages) == pytest.approx(14 + 5)
