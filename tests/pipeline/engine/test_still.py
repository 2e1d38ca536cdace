"""Frames that are not computed, on their lane: told of once, counted, and never made up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from operators.frames import Features, FrameBatch, FrameInfo
from operators.operator import Operator, StreamOperator
from operators.result import JSON, Result
from pipeline.engine.batching import Batch
from pipeline.engine.observer import StageSeconds
from pipeline.errors import RecordsTooLarge
from pipeline.records.record import Refused
from pipeline.stream.chunk import End, Frames, Gap
from pipeline.stream.gate import Gate
from pipeline.stream.progress import Progress
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec

RULE = Sampling("fps", 5)
JOB, SESSION = "feedfacecafe", "a1b2c3d4e5f6"


class Trail(StreamOperator):
    """A record per three frames, of the values that it saw; those of repetitions once more."""

    name = "trail"
    torn = False  # fails on repetitions

    def __init__(self) -> None:
        self.open: list[tuple[str, float]] = []

    def __call__(self, features: Features) -> list[Result]:
        values = [float(features.cls[row, 0]) for row in range(len(features.infos))]
        said = (self._see(*one) for one in zip(features.infos, values, strict=True))
        return [result for one in said for result in one]

    def repeat(self, info: FrameInfo) -> list[Result]:
        if self.torn:
            raise RuntimeError("torn")
        return self._see(info, self.open[-1][1])

    def _see(self, info: FrameInfo, value: float) -> list[Result]:
        self.open.append((info.position, value))
        if len(self.open) % 3:
            return []
        (first, _), *_ = last = self.open[-3:]
        start = replace(info, position=first, event_time_us=int(first) * 200_000)
        return [Result(info, self.name, JSON, json.dumps(last).encode(), start=start)]

    def reset(self, stream: str, reason: str) -> list[Result]:
        self.open = []
        return []

    def snapshot(self, stream: str) -> bytes:
        return json.dumps(self.open).encode()

    def restore(self, stream: str, state: bytes) -> None:
        self.open = [(position, value) for position, value in json.loads(state)]


class Picky(Operator):
    """Fails on dark frames and says nothing of bright ones."""

    name = "picky"

    def __call__(self, features: Features) -> list[Result]:
        said = []
        for row, info in enumerate(features.infos):
            if (value := float(features.cls[row, 0])) < 50:
                raise RuntimeError("dark")
            said += [Result(info, self.name, JSON, b"1")] if value < 200 else []
        return said


def info(number: int) -> FrameInfo:
    time_us = number * 200_000
    return FrameInfo(
        "s", SESSION, str(number), number, Fraction(1, 5), time_us, 7, (56, 56), epoch=1
    )


def run(first: int, levels: Sequence[int] = (), *, repeats: str = "", count: int = 0) -> Frames:
    """Computed frames of these levels, or so many that repeat one."""
    infos = tuple(info(first + number) for number in range(count or len(levels)))
    pixels = np.zeros((len(levels), 56, 56, 3), np.uint8) + np.array(levels, np.uint8).reshape(
        -1, 1, 1, 1
    )
    cursor = {"sampled": first + len(infos)}
    return Frames(infos, pixels, (1,) * len(infos), cursor, before=first, repeats=repeats)


class Stream:
    """One gated stream on an engine, driven by hand; `again` after its process was killed."""

    def __init__(self, lanes_of, engine, *, live: bool = False) -> None:
        self.engine, self._lanes_of = engine, lanes_of
        self.spec = StreamSpec(
            "s", "x", live, session="" if live else SESSION, samplings=(RULE,), gate=Gate()
        )
        self.said: list = []
        self.again(Progress(JOB, "s", epoch=1))

    def again(self, progress: Progress | None = None) -> None:
        """Go on as another process does, from what is committed."""
        self.progress = Progress.from_json(json.loads((progress or self.progress).to_json()))
        self.lane = self._lanes_of(self.engine, RULE)(self.spec, self.progress)

    def chunk(self, *entries: Frames | Gap | End) -> None:
        """Take a chunk to its commit."""
        self.lane.queue.accept(entries)
        while (step := self.lane.advance()) is not None:
            if not isinstance(step, Frames):
                self.said += step.messages
                self.progress = step.progress
                self.commit = step
                self.lane.confirm()
            elif step.repeats:
                self.engine.echo(step, self.lane)
            else:
                self.compute(step)

    def compute(self, frames: Frames) -> None:
        batch = Batch(FrameBatch(frames.infos, frames.pixels), frames.taken)
        lanes, observer = {"s": self.lane}, StageSeconds({})
        self.engine.finish(self.engine.launch(batch, lanes, observer), lanes, observer)

    def of(self, topic: str) -> list[dict]:
        return [json.loads(one.value) for one in self.said if one.topic == topic]

    @property
    def ledger(self) -> dict[str, int]:
        (row,) = self.progress.ledger.values()
        return row


@pytest.fixture
def stream(lanes_of, engine_of):
    def make(operator: Operator | None = None, **options) -> Stream:
        return Stream(lanes_of, engine_of(operator), **options)

    return make


def test_a_repetition_is_told_when_it_is_over_with_the_ids_that_hold(stream) -> None:
    one = stream()
    one.chunk(run(0, [90, 100]), run(2, repeats="1", count=2))
    assert one.of("unchanged") == []
    one.chunk(run(4, repeats="1", count=1), run(5, [120]), End("s", "ok", sampled=6))
    (said,) = one.of("unchanged")
    assert [said[name]["position"] for name in ("repeats", "start", "end")] == ["1", "2", "4"]
    ids = [message.id for message in one.said if message.topic == "mean"]
    assert said["operators"] == {"mean": {"frames": 3, "ids": [ids[1]]}}
    assert said["frames"] == 3
    assert one.ledger == {"sampled": 6, "published": 3, "unchanged": 3}
    topics = [message.topic for message in one.said]
    assert topics.index("unchanged") == len(topics) - 1 - topics[::-1].index("mean") - 1


def test_the_end_tells_of_it_too(stream) -> None:
    one = stream()
    one.chunk(run(0, [90]), run(1, repeats="0", count=3), End("s", "ok", sampled=4))
    (message,) = [message for message in one.said if message.topic == "unchanged"]
    assert message.id == f"unchanged/s/{SESSION}/3/{one.lane.still.variant}"


@pytest.mark.parametrize("operator", [None, Trail])
def test_a_stream_that_is_killed_anywhere_says_the_same(stream, operator) -> None:
    chunks = [
        [run(0, [90, 100])],
        [run(2, repeats="1", count=2)],
        [run(4, repeats="1", count=3), run(7, [120]), run(8, repeats="7", count=1)],
        [run(9, repeats="7", count=2), Gap("s", "size"), run(11, [90])],
        [run(12, repeats="11", count=2), End("s", "ok", sampled=14)],
    ]

    def said(killed: Sequence[int]):
        one = stream(operator and operator())
        for number, chunk in enumerate(chunks):
            if number in killed:
                one.again()
            one.chunk(*chunk)
        told = [(message.id, message.value) for message in one.said if message.topic != "manifest"]
        return told, one.progress.ledger

    whole = said(())
    assert {tuple(row) for row in whole[1].values()} <= {
        ("sampled", "published", "unchanged"),
        ("sampled", "covered", "silent"),
        ("sampled", "covered"),
    }
    for kill in range(1, len(chunks)):
        assert said([kill]) == whole
    assert said(range(1, len(chunks))) == whole


def test_one_that_remembers_has_its_frames_on_their_grid(stream) -> None:
    one = stream(Trail())
    one.chunk(
        run(0, [90]), run(1, repeats="0", count=3), run(4, [120]), run(5, repeats="4", count=1)
    )
    one.chunk(End("s", "ok", sampled=6))
    assert one.of("trail") == [
        [["0", 90.0], ["1", 90.0], ["2", 90.0]],
        [["3", 90.0], ["4", 120.0], ["5", 120.0]],
    ]
    assert one.ledger == {"sampled": 6, "covered": 6}
    assert one.of("unchanged") == [], "windows tell of all of them"


def test_one_that_fails_on_a_repetition_sends_that_to_the_dead_letters(stream) -> None:
    one = stream(Trail())
    one.engine.operators[0].torn = True
    one.chunk(run(0, [90]), run(1, repeats="0", count=2), End("s", "ok", sampled=3))
    assert [letter["position"] for letter in one.of("deadletter")] == ["1"]
    assert one.ledger == {"sampled": 3, "deadletter": 1, "silent": 2}


def test_what_failed_or_said_nothing_is_not_repeated(stream) -> None:
    one = stream(Picky())
    one.chunk(run(0, [10]), run(1, repeats="0", count=2))
    one.chunk(run(3, [220]), run(4, repeats="3", count=1))
    one.chunk(run(5, [100]), run(6, repeats="5", count=1), End("s", "ok", sampled=7))
    (said,) = one.of("unchanged")
    assert said["operators"]["picky"]["ids"] == [f"picky/s/{SESSION}/5/vvvvvvvvvvvv"]
    assert one.ledger == {
        "sampled": 7, "deadletter": 1, "silent": 4, "published": 1, "unchanged": 1
    }  # fmt: skip


def test_what_repeats_a_dropped_frame_is_dropped_with_it(stream) -> None:
    one = stream(live=True)
    lane = one.lane
    lane.queue.accept([run(0, [90]), run(1, [100, 101]), run(3, repeats="2", count=2)])
    one.compute(lane.advance())
    assert len(lane.advance().infos) == 2
    lane.skip([1, 1], "late")
    one.chunk(run(5, repeats="2", count=1), run(6, [120]), run(7, repeats="6", count=1))
    one.chunk(End("s", "stopped"))
    assert one.ledger == {
        "sampled": 3, "published": 2, "unchanged": 1, "dropped": 5, "dropped_late": 5
    }  # fmt: skip
    (said,) = one.of("unchanged")
    assert said["repeats"]["position"] == "6"
    dropped = [event["dropped"] for event in one.of("events") if event["kind"] == "dropped"]
    assert sum(dropped) == 5


def test_an_id_that_the_sink_refused_is_not_named(stream) -> None:
    one = stream()
    one.lane.queue.accept([run(0, [90]), run(1, repeats="0", count=1)])
    one.compute(one.lane.advance())
    one.engine.echo(one.lane.advance(), one.lane)
    commit = one.lane.advance()
    refused = Refused("mean", f"mean/s/{SESSION}/0/vvvvvvvvvvvv", 9, 8)
    lettered = one.lane.refuse(RecordsTooLarge("no", [refused]))
    assert lettered.progress.sequence == commit.progress.sequence
    one.progress = lettered.progress
    one.said += lettered.messages
    for kill in (False, True):
        if kill:
            one.again()
        else:
            one.lane.confirm()
        one.chunk(run(2, [120]), End("s", "ok", sampled=3))
        said = one.of("unchanged")[-1]
        assert said["operators"] == {"mean": {"frames": 1, "ids": []}}
        one.progress = lettered.progress


def test_nor_by_a_record_of_the_same_commit(stream) -> None:
    one = stream()
    one.lane.queue.accept([run(0, [90]), run(1, repeats="0", count=1), run(2, [120])])
    one.compute(one.lane.advance())
    one.engine.echo(one.lane.advance(), one.lane)
    one.compute(one.lane.advance())
    one.lane.advance()
    refused = Refused("mean", f"mean/s/{SESSION}/0/vvvvvvvvvvvv", 9, 8)
    one.said += one.lane.refuse(RecordsTooLarge("no", [refused])).messages
    (said,) = one.of("unchanged")
    assert said["operators"] == {"mean": {"frames": 1, "ids": []}}


def test_nothing_is_repeated_to_one_that_was_given_up_meanwhile(stream) -> None:
    one = stream(Trail(), live=True)
    one.chunk(run(0, [90, 100]), run(2, repeats="1", count=1))
    (trail,) = one.engine.operators
    one.lane.shortfall.give_up(["trail"])
    one.lane.forget(trail, trail.reset("s", "overload"))
    one.lane.shortfall.give_up([])
    one.chunk(run(3, repeats="1", count=1), End("s", "stopped"))
    assert (trail.open, one.of("deadletter")) == ([], [])
    assert one.ledger == {"sampled": 4, "covered": 3, "silent": 1}
