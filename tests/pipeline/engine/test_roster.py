"""Streams that come and go while a shard runs, with real decode processes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from operators.errors import UsageError
from operators.frames import Features
from operators.operator import Operator, StreamOperator
from operators.result import JSON, Result
from pipeline.decode.host import DecodeHost
from pipeline.engine.shard import Shard
from pipeline.errors import SinkError
from pipeline.stream.progress import Progress
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec
from pipeline.testing import ListSink

RULE = Sampling("fps", 10)
HOUR = "synthetic:room?seed=1&seconds=3600&fps=10&size=64x64"
MOMENT = "synthetic:room?seed=1&seconds=0.5&fps=10&size=64x64"


class Count(StreamOperator):
    """Says at a stream's end how many frames it had."""

    name = "count"

    def __init__(self) -> None:
        self._infos: dict[str, list] = {}

    def __call__(self, features: Features) -> list[Result]:
        for info in features.infos:
            self._infos.setdefault(info.stream, []).append(info)
        return []

    def reset(self, stream: str, reason: str) -> list[Result]:
        infos = self._infos.pop(stream, [])
        count = str(len(infos)).encode()
        return [Result(infos[-1], self.name, JSON, count, start=infos[0])] if infos else []

    def snapshot(self, stream: str) -> bytes:
        return b""

    def restore(self, stream: str, state: bytes) -> None:
        """Not tested here."""


class WatchedSink(ListSink):
    """A test may wait until a stream has come so far."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()

    def commit(self, commits):
        with self._changed:
            receipt = super().commit(commits)
            self._changed.notify_all()
        return receipt

    def wait_until(self, stream: str, reached: Callable[[Progress], bool]) -> None:
        def now() -> bool:
            known = self.stored.get(("job", stream))
            return known is not None and reached(known)

        with self._changed:
            assert self._changed.wait_for(now, timeout=120), self.stored.get(("job", stream))


def spec_of(stream: str, url: str) -> StreamSpec:
    return StreamSpec(stream, url, session="5e55", samplings=(RULE,), short_side=28)


@pytest.fixture
def running(engine_of, lanes_of):
    """A shard at work; stopped at the end of the block, where it has not come to its own."""

    @contextmanager
    def run(
        sink: ListSink,
        *specs: StreamSpec,
        stay: bool = False,
        operator: Operator | None = None,
        most_open: int | None = None,
    ) -> Iterator[Shard]:
        feed = DecodeHost()
        engine = engine_of(operator)
        shard = Shard(engine, feed, sink, lanes_of(engine, RULE), most_open=most_open)
        thread = threading.Thread(
            target=shard.run,
            args=({one.stream: "job" for one in specs}, specs),
            kwargs={"stay": stay},
        )
        thread.start()
        try:
            yield shard
        finally:
            shard.stop()
            thread.join(timeout=120)
            assert not thread.is_alive()
            feed.close()

    return run


def wait_until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline_s, "waited in vain"
        time.sleep(0.01)


def positions_of(sink: ListSink, stream: str) -> list[int]:
    """Of its records, in their order."""
    return [int(m.position) for m in sink.messages if (m.topic, m.key) == ("mean", stream)]


@pytest.mark.slow
def test_streams_come_to_an_empty_shard_and_go_and_come_again(running) -> None:
    sink = WatchedSink()
    with running(sink, stay=True) as shard:
        for epoch in (1, 2):
            shard.add({"a": "job"}, [spec_of("a", HOUR)])
            sink.wait_until("a", lambda one, epoch=epoch: one.epoch == epoch and one.frames > 9)
            shard.remove("a")
            sink.wait_until("a", lambda one: one.status == "stopped")
            wait_until(lambda: [one.stream for one in shard.tally.outcomes] == ["a"])
        frames = sink.stored["job", "a"].frames
    positions = positions_of(sink, "a")
    assert len(positions) == len(set(positions)) == frames, "it went on where it had stopped"
    assert [(one.stream, one.status) for one in shard.tally.outcomes] == [("a", "stopped")]


@pytest.mark.slow
def test_a_folder_that_is_followed_takes_no_recordings_turn(running, tmp_path) -> None:
    """It has no end, and they would wait for it."""
    sink = WatchedSink()
    followed = [replace(spec_of(name, str(tmp_path)), follow=True) for name in ("a", "b")]
    with running(sink, *followed, spec_of("c", MOMENT), most_open=1):
        sink.wait_until("c", lambda one: one.status == "ok")
    assert {name: sink.stored["job", name].status for name in ("a", "b")} == {
        "a": "stopped",
        "b": "stopped",
    }


@pytest.mark.slow
def test_no_other_stream_misses_a_frame(running) -> None:
    alone, beside = WatchedSink(), WatchedSink()
    short = spec_of("short", MOMENT)
    with running(alone, short):
        alone.wait_until("short", lambda one: one.done)
    with running(beside, spec_of("a", HOUR)) as shard:
        beside.wait_until("a", lambda one: one.frames > 0)
        shard.add({"short": "job", "b": "job"}, [short, spec_of("b", HOUR)])
        beside.wait_until("b", lambda one: one.frames > 0)
        shard.remove("b")
        beside.wait_until("short", lambda one: one.done)
        beside.wait_until("b", lambda one: one.status == "stopped")
        before = beside.stored["job", "a"].frames
        beside.wait_until("a", lambda one: one.frames > before)

    def of_short(sink: ListSink) -> dict[str, bytes]:
        return {m.id: m.value for m in sink.messages if m.topic == "mean" and m.key == "short"}

    assert of_short(beside) == of_short(alone)
    positions = positions_of(beside, "a")
    assert positions == sorted(positions)
    assert len(positions) == beside.stored["job", "a"].frames


@pytest.mark.slow
def test_a_name_is_taken_once_and_only_what_is_here_can_go(running) -> None:
    sink = WatchedSink()
    with running(sink, spec_of("a", HOUR)) as shard:
        sink.wait_until("a", lambda one: one.frames > 0)
        with pytest.raises(UsageError, match=r"^stream a is here already; remove it first$"):
            shard.add({"a": "job", "b": "job"}, [spec_of("a", HOUR), spec_of("b", HOUR)])
        with pytest.raises(UsageError, match=r"^no stream b is here; there are: a$"):
            shard.remove("b")


@pytest.mark.slow
def test_another_stream_of_the_same_name_remembers_nothing_of_the_first(running) -> None:
    sink = WatchedSink()
    with running(sink, stay=True, operator=Count()) as shard:
        shard.add({"a": "job"}, [spec_of("a", HOUR)])
        sink.wait_until("a", lambda one: one.frames > 9)
        shard.remove("a")
        wait_until(lambda: len(shard.tally.outcomes) == 1)
        shard.add({"a": "another"}, [spec_of("a", MOMENT)])
        wait_until(lambda: [one.status for one in shard.tally.outcomes] == ["ok"])
    (frames,) = [int(m.value) for m in sink.messages if m.topic == "count"]
    assert frames == sink.stored["another", "a"].frames == 5


@pytest.mark.slow
def test_a_claim_that_is_refused_harms_nobody_else(running) -> None:
    class Picky(WatchedSink):
        def claim(self, jobs, *, fresh=False):
            if "b" in jobs:
                raise SinkError("b is somebody's")
            return super().claim(jobs, fresh=fresh)

    sink = Picky()
    with running(sink, spec_of("a", HOUR)) as shard:
        shard.add({"b": "job"}, [spec_of("b", HOUR)])
        wait_until(lambda: bool(shard.tally.outcomes))
        before = sink.stored["job", "a"].frames
        sink.wait_until("a", lambda one: one.frames > before)
    told = [(one.stream, one.status, one.detail) for one in shard.tally.outcomes]
    assert told == [("b", "rejected", "b is somebody's"), ("a", "stopped", "")]


@pytest.mark.slow
def test_nothing_comes_in_after_the_stop(running) -> None:
    sink = WatchedSink()
    with running(sink, spec_of("a", HOUR)) as shard:
        sink.wait_until("a", lambda one: one.frames > 0)
        shard.stop()
        wait_until(lambda: bool(shard.tally.outcomes))
        with pytest.raises(UsageError, match="takes no more streams"):
            shard.add({"b": "job"}, [spec_of("b", HOUR)])
