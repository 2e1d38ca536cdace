"""The shard's loop with scripted decoding: order, gaps, commits, faults, resume."""

from __future__ import annotations

import io
import json
import math
import threading
from base64 import b64decode
from collections import Counter, defaultdict, deque
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from types import MappingProxyType

import numpy as np
import pytest
import torch
from PIL import Image

from operators.format import Format
from operators.frames import Features, FrameInfo
from operators.operator import Operator, StreamOperator
from operators.result import JSON, Result
from operators.variant import prepared_variant
from pipeline.engine.ending import SILENCE_S
from pipeline.engine.lane import Lane
from pipeline.engine.placement import Placement
from pipeline.engine.relief import Relief
from pipeline.engine.shard import IDLE_WAIT_S, Shard
from pipeline.engine.shortfall import Shortfall
from pipeline.engine.step import Engine
from pipeline.errors import FencedError, RecordsTooLarge, RuntimeFailure, SinkError
from pipeline.records.commit import Commit
from pipeline.records.message import Publisher
from pipeline.records.pictured import PicturedPublisher
from pipeline.records.record import Refused
from pipeline.stream.chunk import Chunk, End, Fault, Frames, Gap, Trouble
from pipeline.stream.ledger import Ledger
from pipeline.stream.progress import Progress
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec
from pipeline.testing import ListSink, ManualClock

FPS5 = Sampling("fps", 5)
PERIOD_US = 200_000
JOBS = defaultdict(lambda: "job")


class PixelBackbone:
    """cls = the first pixel, so that a test sees which frame reached which row; padding is NaN."""

    batch_size, device, dtype = 4, torch.device("cpu"), torch.float32

    def __call__(self, batch) -> Features:
        cls = torch.full((self.batch_size, 1), float("nan"))
        cls[: len(batch.infos), 0] = torch.from_numpy(batch.pixels[:, 0, 0, 0].astype(np.float32))
        return Features(batch.infos, cls, cls[:, None, None])


class Echo(Operator):
    """Says what it saw; fails on the values it is told to fail on."""

    name = "echo"

    def __init__(self, poison: frozenset[int] = frozenset()) -> None:
        self._poison = poison
        self.seen = 0  # frames

    def __call__(self, features: Features) -> list[Result]:
        self.seen += len(features.infos)
        values = [int(features.cls[row, 0]) for row in range(len(features.infos))]
        if self._poison & set(values):
            raise RuntimeError(f"cannot do {values}")
        return [
            Result(info, self.name, JSON, json.dumps(value).encode())
            for info, value in zip(features.infos, values, strict=True)
        ]


class Runs(StreamOperator):
    """One record per unbroken run of frames, said when it breaks."""

    name = "runs"

    def __init__(self, poison: int | None = None) -> None:
        self._poison = poison
        self.open: dict[str, list] = {}

    def __call__(self, features: Features) -> list[Result]:
        for row, info in enumerate(features.infos):
            value = int(features.cls[row, 0])
            if value == self._poison:
                raise RuntimeError("poison")
            self.open.setdefault(info.stream, []).append((info, value))
        return []

    def reset(self, stream: str, reason: str) -> list[Result]:
        run = self.open.pop(stream, [])
        if not run:
            return []
        text = json.dumps({"values": [value for _, value in run], "reason": reason})
        return [Result(run[-1][0], self.name, JSON, text.encode(), start=run[0][0])]

    def snapshot(self, stream: str) -> bytes:
        rows = [[info.position, info.event_time_us, v] for info, v in self.open.get(stream, [])]
        return json.dumps(rows).encode()

    def restore(self, stream: str, state: bytes) -> None:
        rows = json.loads(state)
        self.open[stream] = [(info(stream, int(p), time_us=t), v) for p, t, v in rows]


class ScriptedFeed:
    """Hands out prepared entries, one chunk per request; goes on after a spec's cursor."""

    def __init__(self, scripts: dict[str, list[list]]) -> None:
        self._scripts = scripts
        self._chunks: dict[str, deque] = {}
        self._asked: deque[str] = deque()
        self._stopped: set[str] = set()

    def open(self, spec: StreamSpec) -> None:
        done = spec.cursor["chunk"] + 1 if spec.cursor else 0
        self._chunks[spec.stream] = deque(self._scripts[spec.stream][done:])

    def request(self, stream: str) -> None:
        assert stream not in self._asked, "one request at a time"
        self._asked.append(stream)

    def wait(self, timeout_s: float) -> list[Chunk]:
        if not self._asked:
            return []
        stream = self._asked.popleft()
        if stream in self._stopped:
            return [Chunk((End(stream, "stopped"),))]
        return [Chunk(tuple(self._chunks[stream].popleft()))]

    def stop(self, stream: str) -> None:
        self._stopped.add(stream)


def info(stream: str, number: int, *, session: str = "s", time_us: int | None = None) -> FrameInfo:
    event_time_us = number * PERIOD_US if time_us is None else time_us
    return FrameInfo(
        stream, session, str(number), number, Fraction(1, 5), event_time_us, 0, (360, 640)
    )


def run_of(
    stream: str, numbers, chunk: int = 0, *, taken: int = 1, before: int | None = None, **more
) -> Frames:
    pixels = np.zeros((len(numbers), 14, 14, 3), np.uint8)
    pixels[:, 0, 0, 0] = [number % 256 for number in numbers]
    infos = tuple(info(stream, number, **more) for number in numbers)
    return Frames(infos, pixels, (taken,) * len(numbers), {"chunk": chunk}, before=before)


def clip(stream: str, count: int, chunk_frames: int) -> list[list]:
    """A whole recording as chunks."""
    chunks = [
        [run_of(stream, range(first, min(first + chunk_frames, count)), index, before=first)]
        for index, first in enumerate(range(0, count, chunk_frames))
    ]
    chunks[-1].append(End(stream, "ok", decoded=count, sampled=count))
    return chunks


def spec_of(stream: str, **more) -> StreamSpec:
    return StreamSpec(stream=stream, url="x", session="s", samplings=(FPS5,), **more)


def placed(*operators: Operator) -> list[Placement]:
    """With the one rule of `spec_of`."""
    return [
        Placement(one, FPS5, 0, {topic: f"v-{topic}" for topic in one.topics}) for one in operators
    ]


def lanes_of(placements_of):
    """What makes lanes, of what says which operators run on a stream."""

    def make(spec: StreamSpec, progress: Progress) -> Lane:
        publisher = Publisher(progress.stream, "job", "model", clock_us=lambda: 0)
        return Lane(spec, progress, placements_of(spec), publisher)

    return make


def shard_of(
    scripts, sink, *operators: Operator, feed=None, backbone=None, placements_of=None, **more
) -> Shard:
    return Shard(
        Engine(backbone or PixelBackbone(), operators),
        feed or ScriptedFeed(scripts),
        sink,
        lanes_of(placements_of or (lambda _: placed(*operators))),
        **{"most_open": len(scripts), **more},
    )


def values(sink: ListSink, topic: str, stream: str) -> list:
    found = [m for m in sink.messages if m.topic == topic and m.key == stream]
    return [json.loads(message.value) for message in found]


def identities(sink: ListSink) -> set[tuple[str, str, bytes]]:
    return {(message.topic, message.id, message.value) for message in sink.messages}


def test_streams_of_unequal_length_share_batches_and_keep_their_order() -> None:
    lengths = {"a": 21, "b": 7, "c": 2}
    scripts = {name: clip(name, count, 6) for name, count in lengths.items()}
    sink = ListSink()
    tally = shard_of(scripts, sink, Echo(), Runs()).run(JOBS, [spec_of(n) for n in scripts])
    for name, count in lengths.items():
        assert values(sink, "echo", name) == list(range(count))
        assert values(sink, "runs", name) == [{"values": list(range(count)), "reason": "end"}]
    assert tally.frames == 30
    assert tally.batches[2] + tally.batches[3] > 0, "batches were mixed"
    assert sum(tally.batches.values()) == 8, "30 frames fill 8 batches of 4"
    assert {outcome.status for outcome in tally.outcomes} == {"ok"}


def test_records_do_not_depend_on_company() -> None:
    together, alone = ListSink(), ListSink()
    scripts = {name: clip(name, count, 5) for name, count in {"a": 13, "b": 9}.items()}
    shard_of(scripts, together, Echo(), Runs()).run(JOBS, [spec_of("a"), spec_of("b")])
    for name in scripts:
        shard_of({name: scripts[name]}, alone, Echo(), Runs()).run(JOBS, [spec_of(name)])
    assert identities(together) == identities(alone)


@pytest.mark.parametrize("commits", range(1, 8))
def test_a_killed_run_resumes_to_the_same_records(commits: int) -> None:
    scripts = {name: clip(name, 17, 5) for name in "ab"}
    specs = [spec_of(name) for name in "ab"]
    undisturbed = ListSink()
    shard_of(scripts, undisturbed, Echo(), Runs()).run(JOBS, specs)

    class FailingSink(ListSink):
        left = commits

        def commit(self, commits):
            self.left -= len(commits)
            if self.left < 0:
                raise SinkError("gone")
            return super().commit(commits)

    sink = FailingSink()
    with pytest.raises(SinkError):
        shard_of(scripts, sink, Echo(), Runs()).run(JOBS, specs)
    sink.left = 99
    tally = shard_of(scripts, sink, Echo(), Runs()).run(JOBS, specs)
    assert identities(sink) == identities(undisturbed)
    assert len(sink.messages) == len(undisturbed.messages), "nothing twice"
    assert (tally.receipt.repeated, tally.receipt.conflicting) == (0, 0)


@pytest.mark.parametrize("missing", [1, 2, -1], ids=["a chunk", "another", "the last frames"])
def test_nothing_is_committed_past_a_hole_and_a_resume_repairs_it(missing: int) -> None:
    """A feed with a bug: a chunk never comes. The right number is known, so it cannot hide."""
    whole = clip("a", 17, 5)
    undisturbed, sink = ListSink(), ListSink()
    shard_of({"a": whole}, undisturbed, Echo(), Runs()).run(JOBS, [spec_of("a")])
    holed = [chunk[-1:] if chunk is whole[missing] is whole[-1] else chunk for chunk in whole]
    if missing > 0:
        del holed[missing]
    with pytest.raises(RuntimeFailure, match=r"a: \d+ sampled frames were decoded up to here"):
        shard_of({"a": holed}, sink, Echo(), Runs()).run(JOBS, [spec_of("a")])
    assert identities(sink) < identities(undisturbed)
    tally = shard_of({"a": whole}, sink, Echo(), Runs()).run(JOBS, [spec_of("a")])
    assert identities(sink) == identities(undisturbed)
    assert sink.stored["job", "a"].frames == 17
    assert tally.receipt.conflicting == 0


def test_a_job_that_is_complete_does_nothing() -> None:
    sink = ListSink()
    shard_of({"a": clip("a", 5, 5)}, sink, Echo()).run(JOBS, [spec_of("a")])
    count = len(sink.messages)
    tally = shard_of({"a": clip("a", 5, 5)}, sink, Echo()).run(JOBS, [spec_of("a")])
    assert (tally.frames, len(sink.messages)) == (0, count)
    assert tally.outcomes[0].resumed


def test_fresh_does_everything_again_and_finds_it_there() -> None:
    sink = ListSink()
    shard_of({"a": clip("a", 5, 5)}, sink, Echo()).run(JOBS, [spec_of("a")])
    tally = shard_of({"a": clip("a", 5, 5)}, sink, Echo()).run(JOBS, [spec_of("a")], fresh=True)
    assert tally.frames == 5
    assert (tally.receipt.written, tally.receipt.conflicting) == (0, 0)


@pytest.mark.parametrize(
    ("entries", "runs"),
    [
        ([run_of("a", [0, 1, 2, 5, 6])], [[0, 1, 2], [5, 6]]),
        ([run_of("a", [0, 1]), Gap("a", "decode"), run_of("a", [2, 3])], [[0, 1], [2, 3]]),
        ([run_of("a", [0, 1]), run_of("a", [2], session="t")], [[0, 1], [2]]),
        (
            [run_of("a", [0]), Fault("a", "decode", "bad packet", lost=1), run_of("a", [1])],
            [[0, 1]],
        ),
    ],
    ids=["by time", "known", "session", "a fault alone is no gap"],
)
def test_memory_never_crosses_a_gap(entries, runs) -> None:
    sink = ListSink()
    shard_of({"a": [[*entries, End("a", "ok")]]}, sink, Runs()).run(JOBS, [spec_of("a")])
    assert [value["values"] for value in values(sink, "runs", "a")] == runs


def test_each_operator_takes_its_own_sampling() -> None:
    entries = [run_of("a", [0, 1, 2], taken=0b11), run_of("a", [3, 4], taken=0b01)]
    echo, runs = Echo(), Runs()
    slow = Placement(runs, Sampling("fps", 1), rule=1, variants={"runs": "v"})
    scripts, sink = {"a": [[*entries, End("a", "ok")]]}, ListSink()
    shard = shard_of(scripts, sink, echo, runs, placements_of=lambda _: [*placed(echo), slow])
    shard.run(JOBS, [spec_of("a")])
    assert values(sink, "echo", "a") == [0, 1, 2, 3, 4]
    assert values(sink, "runs", "a") == [{"values": [0, 1, 2], "reason": "end"}]


def test_every_stream_has_operators_and_samplings_of_its_own() -> None:
    """Frames of both share batches; echo, which would fail on 11, does not run on `few`."""
    echo, runs = Echo(poison=frozenset({2, 11})), Runs()
    few = [Placement(runs, Sampling("fps", 1), rule=0, variants={"runs": "v-slow"})]
    scripts = {
        "all": clip("all", 6, 6),
        "few": [[run_of("few", [10, 11, 12]), End("few", "ok", sampled=3)]],
    }
    together, alone = ListSink(), ListSink()

    def placements_of(spec: StreamSpec) -> list[Placement]:
        return few if spec.stream == "few" else placed(echo, runs)

    shard = shard_of(scripts, together, echo, runs, placements_of=placements_of)
    tally = shard.run(JOBS, [spec_of("all"), spec_of("few")])
    assert tally.batches[2] > 0
    assert values(together, "echo", "few") == []
    assert [one["operator"] for one in values(together, "deadletter", "all")] == ["echo"]
    assert values(together, "deadletter", "few") == []
    (ended,) = [one for one in values(together, "events", "few") if one["kind"] == "ended"]
    assert ended["operators"] == {"runs": {"sampled": 3, "covered": 3}}
    assert together.stored["job", "few"].gaps.keys() == {"runs"}
    of_few = [one for one in together.messages if one.topic == "runs" and one.key == "few"]
    assert {one.headers["ce_variant"] for one in of_few} == {"v-slow"}

    shard_of({"all": scripts["all"]}, alone, echo, runs).run(JOBS, [spec_of("all")])
    assert {one for one in identities(together) if "/all/" in one[1]} == identities(alone)


def test_poison_costs_one_frame_and_nobody_else() -> None:
    sink = ListSink()
    scripts = {"a": clip("a", 6, 6), "b": clip("b", 6, 6)}
    echo = Echo(poison=frozenset({3}))
    shard_of({"a": scripts["a"]}, sink, echo).run(JOBS, [spec_of("a")])
    assert values(sink, "echo", "a") == [0, 1, 2, 4, 5]
    (letter,) = values(sink, "deadletter", "a")
    assert (letter["position"], letter["operator"], letter["error"]) == (
        "3",
        "echo",
        "RuntimeError",
    )
    ledger = sink.stored["job", "a"].ledger["echo"]
    assert ledger == {"sampled": 6, "published": 5, "deadletter": 1}


class Choking(PixelBackbone):
    """Fails on batches that hold some numbers, as `poison` says."""

    def __init__(self, poison, error: Exception) -> None:
        self.poison, self._error = poison, error
        self.batches: list[list[int]] = []

    def __call__(self, batch) -> Features:
        numbers = batch.pixels[:, 0, 0, 0].tolist()
        self.batches.append(numbers)
        if self.poison & set(numbers):
            raise self._error
        return super().__call__(batch)


def test_a_frame_that_the_backbone_fails_on_is_found_and_costs_nobody_else() -> None:
    choking, sink, runs = Choking({5}, ValueError("no such colour")), ListSink(), Runs()
    scripts = {"a": clip("a", 8, 8)}
    shard_of(scripts, sink, Echo(), runs, backbone=choking).run(JOBS, [spec_of("a")])
    assert choking.batches == [
        *([0, 1, 2, 3], [4, 5, 6, 7], [4, 5], [4], [5]),
        *([5], [0], [6, 7]),  # once more, and an empty picture, which it can do
    ]
    assert values(sink, "echo", "a") == [0, 1, 2, 3, 4, 6, 7]
    letters = values(sink, "deadletter", "a")
    assert [(one["position"], one["operator"], one["error"]) for one in letters] == [
        ("5", "echo", "ValueError"),
        ("5", "runs", "ValueError"),
    ]
    assert values(sink, "runs", "a")[-1]["values"] == [6, 7], "no memory crosses it"
    ledger = sink.stored["job", "a"].ledger
    assert ledger["echo"] == {"sampled": 8, "published": 7, "deadletter": 1}
    assert sum(ledger["runs"].values()) == 2 * ledger["runs"]["sampled"] == 16


def test_a_backbone_that_fails_on_everything_ends_the_run_and_nothing_is_committed() -> None:
    sink = ListSink()
    shard = shard_of({"a": clip("a", 24, 2)}, sink, Echo())
    shard._flight._engine.backbone = Choking(set(range(24)), ValueError("the device is gone"))
    with pytest.raises(ValueError, match="the device is gone"):
        shard.run(JOBS, [spec_of("a")])
    assert values(sink, "deadletter", "a") == []
    assert sink.stored["job", "a"].frames == 0


def test_too_little_memory_names_the_key_that_helps() -> None:
    shard = shard_of({"a": clip("a", 4, 4)}, ListSink(), Echo())
    shard._flight._engine.backbone = Choking(
        {0}, torch.OutOfMemoryError("tried to allocate 2.00 GiB")
    )
    with pytest.raises(RuntimeFailure, match=r"batches of 4 frames: tried.*set batch_size lower"):
        shard.run(JOBS, [spec_of("a")])


def test_an_operator_that_keeps_failing_on_a_camera_is_left_out_there_for_a_minute() -> None:
    """And on no other camera, and no recording: those may not depend on what came before."""
    sink = ListSink()
    echo = Echo(poison=frozenset(range(40)))
    scripts = {
        name: [[run_of(name, range(first, first + 10))] for first in range(0, frames, 10)]
        for name, frames in (("bad", 340), ("clip", 60))
    }
    scripts["good"] = [[run_of("good", [100])]]
    ended = {name: [*chunks, [End(name, "ok")]] for name, chunks in scripts.items()}
    specs = [replace(spec_of(name), live=name != "clip") for name in scripts]
    shard_of(ended, sink, echo).run(JOBS, specs)
    assert values(sink, "echo", "good") == [100]
    assert len(values(sink, "deadletter", "clip")) == 40
    letters = values(sink, "deadletter", "bad")
    assert [int(one["position"]) for one in letters] == list(range(20))
    told = [
        one for one in values(sink, "events", "bad") if one["kind"] in ("suspended", "restored")
    ]
    assert [one["kind"] for one in told] == ["suspended", "restored"]
    assert told[0]["detail"].startswith(
        "echo failed on 20 frames in a row and is left out for 60 s"
    )
    assert told[1]["detail"] == "echo is given frames again; 299 were left out"
    ledger = sink.stored["job", "bad"].ledger["echo"]
    assert ledger == {
        **{"sampled": 41, "deadletter": 20, "published": 21},
        **{"dropped": 299, "dropped_suspended": 299},
    }


class Noting(PixelBackbone):
    """Knows the frames that it has seen."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def __call__(self, batch) -> Features:
        self.seen += [int(info.position) for info in batch.infos]
        return super().__call__(batch)


def test_frames_that_no_operator_is_given_cost_no_pass_and_are_accounted_for() -> None:
    """A camera whose only operator fails on 20 frames, with a new session 10 s later."""
    sink, backbone = ListSink(), Noting()
    chunks = [
        [run_of("bad", range(first, first + 10), session="s" if first < 50 else "t")]
        for first in range(0, 340, 10)
    ]
    scripts = {"bad": [*chunks, [End("bad", "stopped")]]}
    echo = Echo(poison=frozenset(range(40)))
    tally = shard_of(scripts, sink, echo, backbone=backbone).run(
        JOBS, [replace(spec_of("bad"), live=True)]
    )
    assert backbone.seen == [*range(20), *range(319, 340)]
    dropped = 340 - len(backbone.seen)
    camera = tally.cameras["bad"]
    assert (tally.frames, camera.frames, camera.dropped) == (41, 41, {"suspended": dropped})
    told = [one for one in values(sink, "events", "bad") if one["kind"] in ("started", "dropped")]
    assert [(one["kind"], one["session"]) for one in told] == [
        *(("started", "s"), ("started", "t"), ("dropped", "t"))
    ]
    assert told[-1]["dropped"] == dropped


class Steady(ScriptedFeed):
    """Cameras with a chunk of four frames every two seconds, until they end."""

    def __init__(self, clock: ManualClock, until_s: float) -> None:
        super().__init__({})
        self._clock, self._until_s = clock, until_s
        self._given: Counter[str] = Counter()

    def open(self, spec: StreamSpec) -> None:
        """All are there."""

    def wait(self, timeout_s: float) -> list[Chunk]:
        ready = [one for one in self._asked if 2.0 * self._given[one] <= self._clock.now_s]
        if not ready:
            self._clock.advance(timeout_s)
        for stream in ready:
            self._asked.remove(stream)
        return [Chunk((self._next(stream),)) for stream in ready]

    def _next(self, stream: str) -> Frames | End:
        chunk = self._given[stream]
        if 2.0 * chunk > self._until_s:
            return End(stream, "stopped")
        self._given[stream] += 1
        run = run_of(stream, range(4 * chunk, 4 * chunk + 4))
        return replace(run, arrived_s=(2.0 * chunk,) * 4)


class Costly(Echo):
    """Takes its time for every frame, on a hand-set clock."""

    name = "costly"

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock

    def __call__(self, features: Features) -> list[Result]:
        self._clock.advance(0.3 * len(features.infos))
        return [replace(one, operator=self.name) for one in super().__call__(features)]


def test_an_operator_with_a_memory_that_fails_on_one_stream_costs_the_others_no_frame() -> None:
    sink, runs = ListSink(), Runs(poison=5)
    scripts = {
        "bad": [[run_of("bad", [4, 5])], [End("bad", "ok")]],
        "good": [[run_of("good", [20, 21])], [End("good", "ok")]],
    }
    shard_of(scripts, sink, runs).run(JOBS, [spec_of(name) for name in scripts])
    assert values(sink, "runs", "good") == [{"values": [20, 21], "reason": "end"}]
    assert len(values(sink, "deadletter", "bad")) == 2
    assert values(sink, "deadletter", "good") == []


def test_whoever_is_left_alone_is_spared_no_longer() -> None:
    lanes = {}
    for name, priority, drop in (("gate", 0, "oldest"), ("vip", 1, "latest"), ("wait", 2, "block")):
        spec = replace(spec_of(name), live=True, priority=priority, drop=drop)
        lanes[name] = lanes_of(lambda _: placed(Echo()))(spec, Progress("job", name))
    relief = Relief(lanes, ["echo"])
    changed = [relief.see(True, now_s / 10) for now_s in range(40)]
    assert [one for one in changed if one] == [["gate"]]
    del lanes["gate"]
    assert relief.regard() == ["vip"]


def test_what_a_batch_that_was_launched_before_has_left_is_forgotten_too() -> None:
    """On a GPU it is told only after its operator is given up."""
    runs, spec = Runs(), replace(spec_of("gate"), live=True)
    lanes = {"gate": lanes_of(lambda _: placed(runs))(spec, Progress("job", "gate"))}
    relief = Relief(lanes, ["runs"])
    while not relief.see(True, len(runs.open)):
        runs.open[f"time {len(runs.open)}"] = []
    runs.open["gate"] = [(run_of("gate", [7]).infos[0], 7)]
    relief.repeat()
    assert "gate" not in runs.open


class Crowd(dict):
    """Lanes; counts how often somebody looks at all of them."""

    looks = 0

    def values(self):
        self.looks += 1
        return super().values()


def test_a_thousand_cameras_that_come_and_go_are_not_looked_at_for_nothing() -> None:
    """Only while something is given up, which those that come have to give up too."""
    spec = replace(spec_of("gate"), live=True)
    lanes = Crowd(gate=lanes_of(lambda _: placed(Echo()))(spec, Progress("job", "gate")))
    relief = Relief(lanes, ["echo"])
    assert relief.regard() == []
    assert lanes.looks == 0
    assert [one for tick in range(40) if (one := relief.see(True, tick / 10))] == [["gate"]]
    late = replace(spec_of("late"), live=True)
    lanes["late"] = lanes_of(lambda _: placed(Echo()))(late, Progress("job", "late"))
    assert relief.regard() == ["late"]


def test_too_slow_an_engine_gives_up_what_it_was_told_to_and_takes_it_back() -> None:
    """With `costly` on both cameras the engine needs 2.4 s for what comes in 2 s."""
    clock, sink = ManualClock(), ListSink()
    feed, operators = Steady(clock, until_s=50.0), (Echo(), Costly(clock))
    shard = shard_of({}, sink, *operators, feed=feed, overload=["costly", "half"], clock=clock)
    plain, prioritised = (
        replace(spec_of(name), live=True, latency_ms=2000, priority=priority)
        for name, priority in (("gate", 0), ("vip", 1))
    )
    shard.run(JOBS, [plain, prioritised])
    kinds = {"overload", "recovered"}
    told = [one for one in values(sink, "events", "gate") if one["kind"] in kinds]
    assert [one["kind"] for one in told] == ["overload", "recovered", "overload"]
    assert told[0]["detail"] == "the engine is too slow; given up: costly"
    assert not [one for one in values(sink, "events", "vip") if one["kind"] in kinds]
    for name in ("gate", "vip"):
        progress = sink.stored["job", name]
        assert progress.ledger["echo"] == {"sampled": 104, "published": 104}
        row = progress.ledger["costly"]
        assert row["sampled"] == row["published"] == len(values(sink, "costly", name))
        assert row["sampled"] + row.get("dropped_overload", 0) == progress.frames == 104
    assert sink.stored["job", "gate"].ledger["costly"]["dropped_overload"] > 40
    assert "dropped" not in sink.stored["job", "vip"].ledger["costly"]


def test_nothing_is_given_up_for_a_sink_that_is_slow() -> None:
    """Every commit takes 3 s, and what comes in 2 s takes the engine 1.2 s."""
    clock = ManualClock()

    class SlowSink(ListSink):
        done_s, done = math.inf, threading.Event()

        def commit(self, commits):
            self.done.clear()
            self.done_s = clock.now_s + 3.0
            assert self.done.wait(timeout=60)
            return super().commit(commits)

    class Watched(Steady):
        def wait(self, timeout_s: float) -> list[Chunk]:
            clock.advance(0.3)
            if clock.now_s >= sink.done_s:
                sink.done.set()
            return super().wait(timeout_s)

    sink, feed = SlowSink(), Watched(clock, until_s=24.0)
    shard = shard_of({}, sink, Costly(clock), feed=feed, overload=["costly"], clock=clock)
    tally = shard.run(JOBS, [replace(spec_of("gate"), live=True, latency_ms=2000)])
    assert tally.cameras["gate"].worst_lag_s > 6.0, "records are late all the same"
    assert [one["kind"] for one in values(sink, "events", "gate")] == ["started", "ended"]


def test_what_an_operator_remembers_is_told_when_it_is_given_up() -> None:
    """And not when it is taken back, which may be hours later."""
    clock, sink, runs = ManualClock(), ListSink(), Runs()
    feed, costly = Steady(clock, until_s=20.0), Costly(clock)
    shard = shard_of({}, sink, costly, runs, feed=feed, overload=["runs"], clock=clock)
    shard.run(JOBS, [replace(spec_of(name), live=True, latency_ms=500) for name in ("a", "b")])
    for name in ("a", "b"):
        (told,) = values(sink, "runs", name)
        assert told["reason"] == "overload"
        row = sink.stored["job", name].ledger["runs"]
        assert row["sampled"] == row["covered"] == len(told["values"])
        mine = [one.topic for one in sink.messages if one.key == name]
        behind = mine[mine.index("runs") :].count("costly")
        assert behind >= row["dropped_overload"] > 20, "told before what comes then"


def test_every_other_frame_is_given_up_across_chunks_and_counted() -> None:
    lane_spec = replace(spec_of("gate"), live=True)
    ledger = Ledger()
    shortfall = Shortfall(lane_spec, placed(Echo()), ledger)
    assert shortfall.give_up(["segmentation"]) is None, "it does not run here"
    assert shortfall.give_up(["half"]).kind == "overload"
    assert shortfall.give_up(["half"]) is None
    chunks = [run_of("gate", numbers) for numbers in ([0, 1, 2], [3], [4, 5], [6])]
    kept = []
    for chunk in chunks:
        for entry in shortfall.thin([chunk]):
            if isinstance(entry, Gap):
                assert entry.cause == "overload"
                shortfall.drop(entry)
            else:
                kept += [info.position for info in entry.infos]
    assert kept == ["1", "3", "5"]
    (*_, rest) = shortfall.thin([replace(chunks[0], taken=(2, 4, 2))])
    assert [info.position for info in rest.infos] == ["2"], "of each rule's frames every other one"
    assert ledger.counts() == {"echo": {"dropped": 4, "dropped_overload": 4}}
    assert shortfall.give_up([]).kind == "recovered"
    assert shortfall.thin([chunks[0]]) == [chunks[0]]


def test_of_a_stream_whose_latest_frame_is_wanted_nothing_is_asked_ahead() -> None:
    """Its next chunk is taken when the one before is done, and what came meanwhile is older."""
    ahead: dict[str, int] = {}

    class Counting(ScriptedFeed):
        def request(self, stream: str) -> None:
            super().request(stream)
            lane = shard._lanes[stream]
            ahead[stream] = max(ahead.get(stream, 0), not lane.queue.idle)

    scripts = {name: clip(name, 6, 1) for name in ("usual", "latest")}
    sink = ListSink()
    shard = shard_of(scripts, sink, Echo(), feed=Counting(scripts))
    specs = [replace(spec_of("usual"), live=True), replace(spec_of("latest"), live=True)]
    shard.run(JOBS, [specs[0], replace(specs[1], drop="latest")])
    assert ahead == {"usual": 1, "latest": 0}
    assert values(sink, "echo", "latest") == values(sink, "echo", "usual") == list(range(6))


def test_an_operators_exception_is_told_with_its_calls_once_and_in_every_letter(caplog) -> None:
    sink = ListSink()
    shard = shard_of({"a": clip("a", 9, 3)}, sink, Echo(poison=frozenset({1, 4, 7})))
    with caplog.at_level("ERROR"):
        shard.run(JOBS, [spec_of("a")])
    letters = values(sink, "deadletter", "a")
    assert [letter["detail"] for letter in letters] == [f"cannot do [{n}]" for n in (1, 4, 7)]
    for letter in letters:
        (call,) = letter["traceback"].splitlines()
        assert call.startswith(f"{__name__}:")
        assert call.endswith('Echo.__call__: raise RuntimeError(f"cannot do {values}")')
    first, *others = caplog.records
    assert first.exc_info[0] is RuntimeError
    assert others
    assert all(record.exc_info is None for record in others)


def pictured(poison: frozenset[int], sink: ListSink) -> Shard:
    """With dead letters that show their frames; of the streams `a` and `b`."""
    poisoned = Echo(poison)
    engine = Engine(PixelBackbone(), [poisoned])

    def lane(spec: StreamSpec, at: Progress) -> Lane:
        publisher = PicturedPublisher(at.stream, at.job, "model", 0.0, engine.pixels_of)
        return Lane(spec, at, placed(poisoned), publisher)

    feed = ScriptedFeed({"a": clip("a", 9, 3), "b": clip("b", 9, 3)})
    return Shard(engine, feed, sink, lane, most_open=2)


def test_a_letter_can_show_the_frame_that_the_operator_failed_on() -> None:
    sink = ListSink()
    pictured(frozenset({4, 7}), sink).run(JOBS, [spec_of("a"), spec_of("b")])
    for stream in ("a", "b"):
        letters = values(sink, "deadletter", stream)
        assert [letter["position"] for letter in letters] == ["4", "7"]
        pictures = [Image.open(io.BytesIO(b64decode(one["picture"]["png"]))) for one in letters]
        assert [picture.getpixel((0, 0))[0] for picture in pictures] == [4, 7]


def test_a_letter_whose_picture_is_too_large_for_its_topic_comes_without() -> None:
    whole, sink = ListSink(), ListSink()
    pictured(frozenset({4}), whole).run(JOBS, [spec_of("a")])
    (letter,) = values(whole, "deadletter", "a")
    size = len(json.dumps(letter, separators=(",", ":")))
    sink = SmallSink(size - 1, topics=("deadletter",))
    for fresh in (False, True):
        tally = pictured(frozenset({4}), sink).run(JOBS, [spec_of("a")], fresh=fresh)
        assert tally.receipt.conflicting == 0
    (without,) = values(sink, "deadletter", "a")
    why = without.pop("picture_left_out")
    assert why.startswith(f"with it a value of {size} bytes; topic deadletter takes {size - 1} ")
    assert without == {key: value for key, value in letter.items() if key != "picture"}
    for of in (whole, sink):
        ledger = {"sampled": 9, "published": 8, "deadletter": 1}
        assert of.stored["job", "a"].ledger["echo"] == ledger
    with pytest.raises(RecordsTooLarge):
        pictured(frozenset({4}), SmallSink(100, topics=("deadletter",))).run(JOBS, [spec_of("a")])


def test_a_failing_memory_is_given_up_and_its_frames_are_accounted_for() -> None:
    sink = ListSink()
    runs = Runs(poison=5)
    shard_of({"a": clip("a", 12, 4)}, sink, runs).run(JOBS, [spec_of("a")])
    ledger = sink.stored["job", "a"].ledger["runs"]
    # Of the first four, which it had taken, it will say nothing any more.
    assert ledger == {"sampled": 12, "silent": 4, "deadletter": 4, "covered": 4}
    assert [value["values"] for value in values(sink, "runs", "a")] == [[8, 9, 10, 11]]


def test_the_ledger_adds_up_and_is_said_at_the_end() -> None:
    sink = ListSink()
    entries = [run_of("a", [0, 1]), Gap("a", "dropped", dropped=7), run_of("a", [9])]
    shard_of({"a": [[*entries, End("a", "ok")]]}, sink, Echo(), Runs()).run(JOBS, [spec_of("a")])
    (ended,) = [event for event in values(sink, "events", "a") if event["kind"] == "ended"]
    dropped = {"dropped": 7, "dropped_full": 7}
    assert ended["operators"]["echo"] == {"sampled": 3, "published": 3} | dropped
    assert ended["operators"]["runs"] == {"sampled": 3, "covered": 3} | dropped


def test_an_operator_with_a_memory_publishes_frames_as_any_other_does() -> None:
    class Follow(Runs):
        """A record of every frame, and a memory."""

        name = "follow"

        def __call__(self, features):
            super().__call__(features)
            return [Result(info, self.name, JSON, b"1") for info in features.infos]

        def reset(self, stream, reason):
            self.open.pop(stream, None)
            return []

    sink = ListSink()
    shard_of({"a": clip("a", 12, 5)}, sink, Follow()).run(JOBS, [spec_of("a")])
    assert sink.stored["job", "a"].ledger["follow"] == {"sampled": 12, "published": 12}


def test_frames_in_a_span_wait_until_it_is_told() -> None:
    sink = ListSink()
    told = []
    commit = sink.commit

    def watch(commits):
        for progress in (one.progress for one in commits):
            told.append((progress.ledger["runs"], len(progress.waiting.get("runs", ()))))
        return commit(commits)

    sink.commit = watch
    shard_of({"a": clip("a", 9, 5)}, sink, Runs()).run(JOBS, [spec_of("a")])
    assert told[0] == ({"sampled": 5}, 5)
    assert told[-1] == ({"sampled": 9, "covered": 9}, 0)


def test_what_was_lost_and_why_outlives_a_resume() -> None:
    lossy = [[run_of("a", [0]), Fault("a", "decode", "bad rtsp://u:secret@h packet", lost=3)]]
    rest = [[run_of("a", [4], 1)], [End("a", "degraded", "3 frames lost", decoded=5, lost=3)]]
    sink = ListSink()
    commit = sink.commit

    def die_after_the_loss(commits):
        if commits[-1].progress.sequence > 1:
            raise SinkError("gone")
        return commit(commits)

    sink.commit = die_after_the_loss
    with pytest.raises(SinkError):
        shard_of({"a": [*lossy, *rest]}, sink, Echo()).run(JOBS, [spec_of("a")])
    sink.commit = commit
    outcomes = [
        shard_of({"a": [*lossy, *rest]}, sink, Echo()).run(JOBS, [spec_of("a")]).outcomes[0]
        for _ in range(2)
    ]
    said = "3 frames lost: bad rtsp://u:***@h packet"
    assert [(one.detail, one.lost, one.already) for one in outcomes] == [
        (said, 3, False),
        (said, 3, True),
    ]


def test_a_stopped_recording_goes_on_another_day() -> None:
    scripts = {"a": clip("a", 17, 5)}
    undisturbed, sink = ListSink(), ListSink()
    shard_of(scripts, undisturbed, Echo(), Runs()).run(JOBS, [spec_of("a")])
    shard = shard_of(scripts, sink, Echo(), Runs())
    commit = sink.commit

    def stop_after_the_first(commits):
        shard.stop()
        return commit(commits)

    sink.commit = stop_after_the_first
    tally = shard.run(JOBS, [spec_of("a")])
    assert [outcome.status for outcome in tally.outcomes] == ["stopped"]
    assert 0 < len(sink.messages) < len(undisturbed.messages)
    sink.commit = commit
    shard_of(scripts, sink, Echo(), Runs()).run(JOBS, [spec_of("a")])
    assert identities(sink) == identities(undisturbed)
    assert sink.stored["job", "a"].ledger == undisturbed.stored["job", "a"].ledger


def test_a_recording_whose_line_broke_goes_on_another_day() -> None:
    whole = clip("a", 17, 5)
    broke = End("a", "degraded", "the transfer broke off", decoded=10, unfinished=True)
    undisturbed, sink = ListSink(), ListSink()
    shard_of({"a": whole}, undisturbed, Echo(), Runs()).run(JOBS, [spec_of("a")])
    tally = shard_of({"a": [*whole[:2], [broke]]}, sink, Echo(), Runs()).run(JOBS, [spec_of("a")])
    (outcome,) = tally.outcomes
    assert (outcome.status, outcome.detail) == ("degraded", "the transfer broke off")
    assert not sink.stored["job", "a"].done
    shard_of({"a": whole}, sink, Echo(), Runs()).run(JOBS, [spec_of("a")])
    assert identities(sink) == identities(undisturbed)
    assert sink.stored["job", "a"].ledger == undisturbed.stored["job", "a"].ledger


def test_a_stopped_camera_is_over() -> None:
    sink = ListSink()
    scripts = {"a": [[run_of("a", [0, 1])], [End("a", "stopped")]]}
    live = replace(spec_of("a"), live=True)
    shard_of(scripts, sink, Runs()).run(JOBS, [live])
    assert values(sink, "runs", "a") == [{"values": [0, 1], "reason": "end"}]
    assert "ended" in [event["kind"] for event in values(sink, "events", "a")]


def test_a_live_frame_does_not_wait_for_mates_beyond_its_time() -> None:
    clock, sink = ManualClock(), AwaySink(0, attempts=0)
    committed_s: list[float] = []

    class SilentNeighbour(ScriptedFeed):
        """Stream `silent` answers only when the other's frame came through; waiting takes time."""

        def request(self, stream: str) -> None:
            if stream != "silent":
                super().request(stream)

        def wait(self, timeout_s: float) -> list[Chunk]:
            if echo.seen and timeout_s:
                assert sink.took.wait(timeout=60)
            clock.advance(timeout_s)
            if sink.messages and not committed_s:
                committed_s.append(clock.now_s - timeout_s)
                super().request("silent")
            return super().wait(timeout_s)

    scripts = {"a": [[run_of("a", [0])], [End("a", "stopped")]], "silent": [[End("silent", "ok")]]}
    echo, feed = Echo(), SilentNeighbour(scripts)
    shard = shard_of(scripts, sink, echo, feed=feed, clock=clock)
    shard.run(JOBS, [replace(spec_of(name), live=True) for name in scripts])
    assert values(sink, "echo", "a") == [0]
    assert committed_s == [pytest.approx(IDLE_WAIT_S + 0.2)], "it came after one idle wait"


class Slow(Echo):
    """Takes its time: `step_s` for every batch, on a hand-set clock."""

    def __init__(self, clock: ManualClock, step_s: float) -> None:
        super().__init__()
        self._clock, self._step_s = clock, step_s

    def __call__(self, features: Features) -> list[Result]:
        self._clock.advance(self._step_s)
        return super().__call__(features)


class Cameras:
    """Busy cameras with a chunk whenever they are asked, one of another size with a frame every
    second, and one that nobody can reach. `until_s` stops the run."""

    def __init__(self, clock: ManualClock, until_s: float) -> None:
        self._clock, self._until_s = clock, until_s
        self._asked: list[str] = []
        self._count: Counter[str] = Counter()
        self.offered_s: list[float] = []  # of the odd one's frames
        self.stopped = False
        self.stop_shard = lambda: None

    def open(self, spec: StreamSpec) -> None:
        """All are."""

    def request(self, stream: str) -> None:
        self._asked.append(stream)

    def stop(self, stream: str) -> None:
        self.stopped = True

    def wait(self, timeout_s: float) -> list[Chunk]:
        if self._clock.now_s > self._until_s:
            self.stop_shard()
        answered = [stream for stream in self._asked if self.stopped or self._has(stream)]
        self._asked = [stream for stream in self._asked if stream not in answered]
        if not answered:
            self._clock.advance(timeout_s)
        return [Chunk((self._next(stream),)) for stream in answered]

    def _has(self, stream: str) -> bool:
        if stream == "odd":
            return self._clock.now_s >= len(self.offered_s)
        return stream.startswith("busy")

    def _next(self, stream: str) -> Frames | End:
        if self.stopped:
            return End(stream, "stopped")
        first = self._count[stream] % 200
        self._count[stream] += 4
        if stream.startswith("busy"):
            return run_of(stream, range(first, first + 4))
        self.offered_s.append(self._clock.now_s)
        odd = run_of(stream, [first])
        return replace(odd, pixels=np.zeros((1, 28, 14, 3), np.uint8))


@pytest.mark.slow
def test_a_frame_of_a_size_of_its_own_waits_no_longer_than_any_other() -> None:
    """Beside cameras that always fill batches, and one whose frames may be of any size."""
    clock, sink, step_s = ManualClock(), ListSink(), 0.05
    computed_s: list[float] = []

    class Noting(Slow):
        def __call__(self, features: Features) -> list[Result]:
            results = super().__call__(features)
            if features.infos[0].stream == "odd":
                computed_s.append(clock.now_s)
            return results

    cameras = ["busy1", "busy2", "odd", "down"]
    feed = Cameras(clock, until_s=20.0)
    echo = Noting(clock, step_s)
    shard = shard_of({}, sink, echo, feed=feed, most_open=4, clock=clock)
    feed.stop_shard = shard.stop
    tally = shard.run(JOBS, [replace(spec_of(name), live=True) for name in cameras])
    waited_s = [late - early for early, late in zip(feed.offered_s, computed_s, strict=True)]
    assert len(waited_s) > 15
    assert max(waited_s) <= 0.2 + 2 * 4 * step_s  # what was cut, and due, before it
    assert tally.frames > 1000, "the others were served meanwhile"


def live_chunks(stream: str, chunks: int, *, arrived_s: float = 0.0) -> list[list]:
    """Chunks of four frames that all arrived at one moment, and a stop."""
    runs = [
        replace(run_of(stream, range(first, first + 4)), arrived_s=(arrived_s,) * 4)
        for first in range(0, chunks * 4, 4)
    ]
    return [*([run] for run in runs), [End(stream, "stopped", sampled=chunks * 4)]]


def camera_of(stream: str) -> StreamSpec:
    return replace(spec_of(stream), live=True, session="")


def test_trouble_is_told_at_once_and_what_waits_comes_after_it() -> None:
    """Two chunks of the lost connection are queued; nobody has asked for its trouble."""
    clock, sink = ManualClock(), ListSink()
    trouble = Trouble("a", "disconnected", "the connection ended", 0, "s", "11")

    class Cut(ScriptedFeed):
        def wait(self, timeout_s: float) -> list[Chunk]:
            chunks = super().wait(timeout_s)
            if chunks and len(self._chunks["a"]) == 2:
                chunks.append(Chunk((trouble,)))
            return chunks

    scripts = {"a": live_chunks("a", 3)}
    slow = Slow(clock, 1.0)
    shard = shard_of(scripts, sink, slow, Runs(), feed=Cut(scripts), clock=clock)
    shard.run(JOBS, [camera_of("a")])
    kinds = [
        json.loads(message.value)["kind"] if message.topic == "events" else message.topic
        for message in sink.messages
    ]
    assert kinds == ["disconnected", "started", *["echo"] * 12, "runs", "ended", "manifest"]
    (told,) = [event for event in values(sink, "events", "a") if event["kind"] == "disconnected"]
    assert (told["session"], told["position"]) == ("s", "11"), "of the last frame before it"
    progress = sink.stored["job", "a"]
    assert (progress.sequence, progress.frames) == (5, 12), "four chunks and one trouble"


def test_trouble_of_a_camera_is_known_before_the_sink_has_taken_anything() -> None:
    """As while the sink is away, which may be for hours."""
    known = []

    class Unreachable(ScriptedFeed):
        def wait(self, timeout_s: float) -> list[Chunk]:
            trouble = [] if known else [Chunk((Trouble("a", "disconnected", "refused"),))]
            return trouble + super().wait(timeout_s)

    class Held(ListSink):
        def commit(self, commits):
            known.append(shard.tally.cameras["a"])
            return super().commit(commits)

    scripts = {"a": [[Gap("a", "size")], [End("a", "stopped")]]}
    shard = shard_of(scripts, Held(), Echo(), Runs(), feed=Unreachable(scripts))
    shard.run(JOBS, [camera_of("a")])
    assert (known[0].state, known[0].why) == ("lost", "refused")


def test_no_frame_is_computed_that_waited_too_long_and_all_are_counted() -> None:
    """Two batches of four can be had in five seconds at three a batch; the third comes too late."""
    clock, sink = ManualClock(), ListSink()
    scripts = {"a": live_chunks("a", 4)}
    shard = shard_of(scripts, sink, Slow(clock, 3.0), Runs(), max_age_s=5.0, clock=clock)
    tally = shard.run(JOBS, [camera_of("a")])
    assert values(sink, "echo", "a") == list(range(8))
    dropped = {"dropped": 8, "dropped_late": 8}
    events = {event["kind"]: event for event in values(sink, "events", "a")}
    assert (events["dropped"]["dropped"], events["dropped"]["cause"]) == (8, "late")
    assert events["ended"]["operators"]["echo"] == {"sampled": 8, "published": 8} | dropped
    assert [run["values"] for run in values(sink, "runs", "a")] == [list(range(8))]
    camera = tally.cameras["a"]
    assert (camera.frames, dict(camera.dropped)) == (8, {"late": 8})
    assert camera.worst_lag_s == pytest.approx(6.0)


def test_a_run_of_which_only_the_first_frames_are_too_old_goes_on_behind_them() -> None:
    clock, sink = ManualClock(now_s=10.0), ListSink()
    run = replace(run_of("a", range(6)), arrived_s=(3.0, 4.0, 4.9, 5.0, 6.0, 9.0))
    scripts = {"a": [[run], [End("a", "stopped")]]}
    shard_of(scripts, sink, Echo(), Runs(), max_age_s=5.0, clock=clock).run(JOBS, [camera_of("a")])
    assert values(sink, "echo", "a") == [3, 4, 5]
    assert sink.stored["job", "a"].ledger["echo"]["dropped_late"] == 3


class Stopping(ScriptedFeed):
    """Stops the shard when so many chunks have been handed over. Cameras that are stopped still
    give what they hold, and one may never say its last word."""

    def __init__(self, scripts, after: int, silent: str = "") -> None:
        super().__init__(scripts)
        self._left, self._silent = after, silent
        self.stop_shard = lambda: None

    def stop(self, stream: str) -> None:
        if stream.startswith("clip"):
            super().stop(stream)

    def wait(self, timeout_s: float) -> list[Chunk]:
        self._left -= 1
        if not self._left:
            self.stop_shard()
        waiting = self._asked and self._asked[0] == self._silent
        if waiting and len(self._chunks[self._silent]) == 1:
            self._asked.rotate(-1)
            if len(self._asked) == 1:
                self.idle(timeout_s)
                return []
        if not self._asked:
            self.idle(timeout_s)
        return super().wait(timeout_s)

    def idle(self, timeout_s: float) -> None:
        """Nothing to hand over."""


def test_draining_ends_in_time_and_says_what_it_cut() -> None:
    """A slow engine, two cameras with a backlog, one of them mute, and a recording."""
    clock, sink = ManualClock(), ListSink()
    whole = clip("clip", 60, 4)
    scripts = {"gate": live_chunks("gate", 20), "mute": live_chunks("mute", 2), "clip": whole}
    feed = Stopping(scripts, after=8, silent="mute")
    feed.idle = clock.advance
    options = {"feed": feed, "drain_s": 10.0, "clock": clock}
    shard = shard_of(scripts, sink, Slow(clock, 3.0), Runs(), **options)
    stopped_s: list[float] = []
    feed.stop_shard = lambda: (stopped_s.append(clock.now_s), shard.stop())
    tally = shard.run(JOBS, [camera_of("gate"), camera_of("mute"), spec_of("clip")])
    assert clock.now_s - stopped_s[0] < 10.0 + 3.0 + SILENCE_S + 2 * IDLE_WAIT_S, "and a step"
    outcomes = {outcome.stream: outcome for outcome in tally.outcomes}
    assert {outcome.status for outcome in outcomes.values()} == {"stopped"}
    assert "did not end in time" in outcomes["mute"].detail
    ledger = sink.stored["job", "gate"].ledger["echo"]
    assert ledger["dropped_drain"] > 0
    assert ledger["sampled"] + ledger["dropped"] == 80
    assert dict(tally.cameras["gate"].dropped) == {"drain": ledger["dropped_drain"]}
    kinds = [(event["kind"], event.get("cause")) for event in values(sink, "events", "gate")]
    assert ("dropped", "drain") in kinds
    undisturbed = ListSink()
    shard_of({"clip": whole}, undisturbed, Echo(), Runs()).run(JOBS, [spec_of("clip")])
    shard_of({"clip": whole}, sink, Echo(), Runs()).run(JOBS, [spec_of("clip")])
    assert values(sink, "echo", "clip") == values(undisturbed, "echo", "clip")


def test_a_newer_writer_fences_the_older() -> None:
    sink = ListSink()
    old = sink.claim({"a": "job"})["a"]
    new = sink.claim({"a": "job"})["a"]
    assert new.epoch == old.epoch + 1
    with pytest.raises(SinkError):
        sink.commit([Commit([], replace(old, sequence=1))])


def test_a_newer_writer_of_another_job_fences_too() -> None:
    sink = ListSink()
    old = sink.claim({"a": "job"})["a"]
    assert sink.claim({"a": "other"})["a"].epoch == old.epoch + 1
    with pytest.raises(FencedError, match=r"stream a: another writer .* and this one stops"):
        sink.commit([Commit([], replace(old, sequence=1))])


def test_a_stream_more_leaves_those_that_are_done() -> None:
    sink = ListSink()
    scripts = {"a": clip("a", 5, 5), "b": clip("b", 7, 5)}
    shard_of(scripts, sink, Echo()).run(JOBS, [spec_of("a")])
    done = sink.stored["job", "a"]
    tally = shard_of(scripts, sink, Echo()).run(JOBS, [spec_of("a"), spec_of("b")])
    assert tally.frames == 7
    assert [(o.stream, o.status, o.resumed) for o in tally.outcomes] == [
        ("a", "ok", True),
        ("b", "ok", False),
    ]
    assert sink.stored["job", "a"] == done, "not even claimed"


def test_engine_loads_every_operator_once() -> None:
    loads = []
    echo = Echo()
    echo.load = lambda device, dtype: loads.append((device, dtype))
    Engine(PixelBackbone(), [echo])
    assert loads == [(torch.device("cpu"), torch.float32)]


class AwaySink(ListSink):
    """Takes nothing from commit number `first` on, for `attempts` attempts."""

    def __init__(self, first: int, attempts: int) -> None:
        super().__init__()
        self.first, self.left = first, attempts
        self.tried = threading.Event()
        self.took = threading.Event()

    def commit(self, commits):
        self.first -= 1
        if self.first < 0 and self.left:
            self.left -= 1
            self.tried.set()
            raise SinkError("nobody listens", retryable=True)
        receipt = super().commit(commits)
        self.took.set()
        return receipt


def test_an_outage_of_the_sink_loses_nothing_and_is_an_event_of_cameras_alone() -> None:
    scripts = {"cam": clip("cam", 12, 4), "clip": clip("clip", 12, 4)}
    specs = [replace(spec_of("cam"), live=True), spec_of("clip")]
    undisturbed, sink = ListSink(), AwaySink(1, attempts=2)
    shard_of(scripts, undisturbed, Echo(), Runs()).run(JOBS, specs)
    tally = shard_of(scripts, sink, Echo(), Runs()).run(JOBS, specs)
    (outage,) = [event for event in values(sink, "events", "cam") if event["kind"] == "outage"]
    assert (outage["attempts"], outage["detail"]) == (2, "nobody listens")
    assert [one.attempts for one in tally.outages] == [2]
    assert (tally.outage, tally.given_up, tally.undelivered) == (None, "", {})
    beside = {one for one in identities(sink) if b'"outage"' not in one[2]}
    told = {one for one in beside ^ identities(undisturbed) if one[0] == "manifest"}
    assert len(told) == 2, "the camera's, which tells of the outage's event as well"
    assert beside - told == identities(undisturbed) - told
    assert "outage" not in [event["kind"] for event in values(sink, "events", "clip")]


def test_when_patience_is_over_cameras_are_counted_and_recordings_go_on_another_day() -> None:
    dropped = [Gap("cam", "dropped", dropped=7), run_of("cam", [20, 21], 3), End("cam", "stopped")]
    scripts = {"cam": [*clip("cam", 12, 4)[:2], dropped], "clip": clip("clip", 12, 4)}
    specs = [replace(spec_of("cam"), live=True), spec_of("clip")]
    undisturbed, sink = ListSink(), AwaySink(2, attempts=999)
    shard_of(scripts, undisturbed, Echo(), Runs()).run(JOBS, specs)
    feed = ScriptedFeed(scripts)
    feed.stop = lambda _: None  # a decoder that is stopped still says what it has
    shard = shard_of(scripts, sink, Echo(), Runs(), feed=feed, patience_s=0.0)
    tally = shard.run(JOBS, specs)
    assert tally.given_up.startswith("the sink is away, and patience of 0 s is over")
    committed = len(values(sink, "echo", "cam"))
    assert tally.undelivered == {"cam": 10 + 7 - committed}
    assert {outcome.stream: outcome.status for outcome in tally.outcomes} == {
        "cam": "stopped",
        "clip": "stopped",
    }
    sink.left = 0
    shard_of(scripts, sink, Echo(), Runs()).run(JOBS, specs[1:])
    of_clip = {one for one in identities(undisturbed) if "/clip/" in one[1]}
    assert {one for one in identities(sink) if "/clip/" in one[1]} == of_clip


def test_what_was_committed_before_the_sink_went_away_again_counts_as_delivered() -> None:
    """Away for a while, and once more at the very event that tells of it, when the run is over."""

    class AwayAgain(AwaySink):
        def commit(self, commits):
            if any(b'"outage"' in m.value for one in commits for m in one.messages):
                shard.stop()
                raise SinkError("nobody listens", retryable=True)
            return super().commit(commits)

    sink = AwayAgain(1, attempts=1)
    shard = shard_of({"cam": clip("cam", 12, 4)}, sink, Echo(), drain_s=0.01)
    tally = shard.run(JOBS, [replace(spec_of("cam"), live=True)])
    delivered = len(values(sink, "echo", "cam"))
    queued = 12 - delivered
    assert delivered == 8
    assert tally.undelivered == {"cam": queued}
    assert [one.attempts for one in tally.outages] == [1]


def test_nothing_of_a_stream_follows_its_end_not_even_an_outage_at_its_last_commit() -> None:
    sink = AwaySink(1, attempts=1)
    scripts = {"cam": [*clip("cam", 8, 4)[:1], [End("cam", "stopped")]]}
    tally = shard_of(scripts, sink, Echo()).run(JOBS, [replace(spec_of("cam"), live=True)])
    assert [event["kind"] for event in values(sink, "events", "cam")][-1] == "ended"
    assert len(tally.outages) == 1


def test_a_stop_during_an_outage_comes_back() -> None:
    sink = AwaySink(1, attempts=1_000_000)
    scripts = {"a": [*clip("a", 12, 4)[:2], [End("a", "stopped")]]}
    shard = shard_of(scripts, sink, Echo(), drain_s=0.0)
    stopper = threading.Thread(target=lambda: sink.tried.wait(timeout=60) and shard.stop())
    stopper.start()
    tally = shard.run(JOBS, [replace(spec_of("a"), live=True)])
    stopper.join()
    assert "and the run is to end" in tally.given_up
    assert tally.undelivered == {"a": 4}


def test_decoders_are_looked_after_and_frames_computed_while_the_sink_takes_its_time() -> None:
    """So cameras are lost and found again meanwhile; what comes is kept in order."""
    scripts = {"a": [[run_of("a", [n], n)] for n in range(6)]}
    scripts["a"][-1].append(End("a", "ok"))
    waited = threading.Event()

    class SlowSink(ListSink):
        def commit(self, commits):
            nonlocal behind
            if commits[0].progress.sequence == 1:
                assert waited.wait(timeout=60)
                behind = echo.seen
            return super().commit(commits)

    class Watched(ScriptedFeed):
        waits = 0

        def wait(self, timeout_s: float) -> list[Chunk]:
            self.waits += 1
            if echo.seen >= 2 and self.waits > 10:
                waited.set()
            return super().wait(timeout_s)

    behind, echo, sink = 0, Echo(), SlowSink()
    shard_of(scripts, sink, echo, feed=Watched(scripts)).run(JOBS, [spec_of("a")])
    assert behind == 2, "the chunk after it, and no more"
    assert values(sink, "echo", "a") == list(range(6))


class SmallSink(ListSink):
    """Its topics take values of so many bytes."""

    def __init__(self, limit_bytes: int, topics: tuple[str, ...] = ("echo", "echo.more")) -> None:
        super().__init__()
        self._limit, self._topics = limit_bytes, topics

    def commit(self, commits):
        refused = [
            Refused(m.topic, m.id, len(m.value), self._limit)
            for commit in commits
            for m in commit.messages
            if m.topic in self._topics and len(m.value) > self._limit
        ]
        if refused:
            raise RecordsTooLarge("larger than their topics take", refused)
        return super().commit(commits)


class Twice(Echo):
    """Two records of every frame, in two topics; those of frames from 100 on are longer."""

    topics = MappingProxyType({"echo": Format(), "echo.more": Format()})

    def __call__(self, features: Features) -> list[Result]:
        results = super().__call__(features)
        return [*results, *(replace(one, operator="echo.more") for one in results)]


def test_records_that_are_too_large_become_dead_letters_and_the_stream_goes_on() -> None:
    numbers = [98, 99, 100, 101, 5]
    scripts = {"a": [[run_of("a", numbers[:3])], [run_of("a", numbers[3:], 1), End("a", "ok")]]}
    sink = SmallSink(2)
    for fresh in (False, True):  # equal id, equal value: `--fresh` finds them there
        tally = shard_of(scripts, sink, Twice()).run(JOBS, [spec_of("a")], fresh=fresh)
        assert tally.receipt.conflicting == 0
    assert values(sink, "echo", "a") == values(sink, "echo.more", "a") == [98, 99, 5]
    letters = values(sink, "deadletter", "a")
    assert [letter["position"] for letter in letters] == ["100", "100", "101", "101"]
    assert letters[1]["error"] == "RecordTooLarge"
    assert letters[1]["detail"].startswith("a value of 3 bytes; topic echo.more takes 2")
    assert tally.records["deadletter"] == 4
    ledger = {"sampled": 5, "published": 3, "deadletter": 2}
    assert sink.stored["job", "a"].ledger["echo"] == ledger
    (ended,) = [event for event in values(sink, "events", "a") if event["kind"] == "ended"]
    assert ended["operators"]["echo"] == ledger, "as it is in the end, not as it was announced"
    (manifest,) = values(sink, "manifest", "a")
    assert manifest["operators"]["echo"] == ledger
    told = {row["topic"]: row["records"] for row in manifest["series"]}
    assert told == {"deadletter": 4, "echo": 3, "echo.more": 3, "events": 2}


def test_the_end_tells_what_became_of_a_chunk_that_was_refused_when_the_end_was_reached() -> None:
    """The sink refuses the first chunk only when the last one has been computed."""
    scripts = {"a": [[run_of("a", [98, 100])], [run_of("a", [5], 1), End("a", "ok")]]}
    computed = threading.Event()

    class Late(SmallSink):
        def commit(self, commits):
            assert computed.wait(timeout=60)
            return super().commit(commits)

    class Noting(Echo):
        def __call__(self, features):
            if features.cls[0, 0] == 5:
                computed.set()
            return super().__call__(features)

    sink = Late(2)
    shard_of(scripts, sink, Noting()).run(JOBS, [spec_of("a")])
    ledger = {"sampled": 3, "published": 2, "deadletter": 1}
    assert sink.stored["job", "a"].ledger["echo"] == ledger
    (ended,) = [event for event in values(sink, "events", "a") if event["kind"] == "ended"]
    assert ended["operators"]["echo"] == ledger


def test_a_commit_that_cannot_do_without_what_is_too_large_ends_the_run() -> None:
    sink = SmallSink(2, topics=("events",))
    with pytest.raises(RecordsTooLarge):
        shard_of({"a": clip("a", 3, 3)}, sink, Echo()).run(JOBS, [spec_of("a")])
    assert sink.messages == []


def test_records_of_prepared_pictures_have_a_variant_of_their_own() -> None:
    run = run_of("a", range(2))
    cut = replace(run.infos[1], preparation="128x64+0+32")
    run = replace(run, infos=(run.infos[0], cut))
    sink = ListSink()
    script = {"a": [[run, End("a", "ok", decoded=2, sampled=2)]]}
    shard_of(script, sink, Echo()).run(JOBS, [spec_of("a")])
    whole, part = [m.id.rpartition("/")[2] for m in sink.messages if m.topic == "echo"]
    assert whole == "v-echo"
    assert part == prepared_variant("v-echo", "128x64+0+32") != whole
    assert prepared_variant("v-echo", "") == "v-echo"


def test_an_observer_hears_of_every_stage_and_its_frames() -> None:
    heard: Counter[str] = Counter()

    class Observer:
        @contextmanager
        def stage(self, name, frames=0):
            heard[name] += frames
            yield

    scripts = {"a": clip("a", 12, 4)}
    tally = shard_of(scripts, ListSink(), Echo(), Runs(), observer=Observer()).run(
        JOBS, [spec_of("a")]
    )
    assert heard == {"backbone": 12, "echo": 12, "runs": 12, "commit": 0, "wait": 0}
    assert tally.seconds == {}
    told = shard_of(scripts, ListSink(), Echo(), Runs()).run(JOBS, [spec_of("a")]).seconds
    assert set(told) == set(heard)
