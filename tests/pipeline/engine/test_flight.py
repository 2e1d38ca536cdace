"""A card computes the next batch while records are made of the one before. The CPU plays it."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from operators.batch_operator import BatchOperator
from operators.frames import Features, FrameInfo
from operators.operator import Operator, StreamOperator
from operators.result import JSON, Result
from pipeline.engine.lane import Lane
from pipeline.engine.placement import Placement
from pipeline.engine.shard import Shard
from pipeline.engine.step import Engine
from pipeline.errors import RuntimeFailure, SinkError
from pipeline.records.message import Publisher
from pipeline.stream.chunk import Chunk, End, Frames
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec
from pipeline.testing import ListSink, ManualClock

BATCH = 4
FPS5 = Sampling("fps", 5)
LETTERS = ("deadletter", "manifest")
JOBS = defaultdict(lambda: "job")
LENGTHS = {"a": 21, "b": 13, "c": 17, "d": 6}


class Pixels:
    """cls = the first pixel, where the last batch's lay, as a GPU's engine has it. Fails on batches
    with a frame that it is told to fail on."""

    batch_size, device, dtype = BATCH, torch.device("cpu"), torch.float32

    def __init__(self, journal: list[str], poison: frozenset[int] = frozenset()) -> None:
        self._journal = journal
        self._poison = poison
        self._cls = torch.empty(BATCH, 1)

    def __call__(self, batch) -> Features:
        values = batch.pixels[:, 0, 0, 0]
        self._journal.append(f"launch {name_of(batch.infos[0])}")
        if self._poison & set(values.tolist()):
            raise ValueError("poison")
        cls = self._cls.fill_(float("nan"))
        cls[: len(values), 0] = torch.from_numpy(values.astype(np.float32))
        return Features(batch.infos, cls, cls[:, None, None])

    def close(self) -> None:
        pass


class Echo(BatchOperator):
    """Says a frame's value; fails on those that it is told to fail on."""

    name = "echo"

    def __init__(self, journal: list[str], poison: frozenset[int] = frozenset()) -> None:
        self._journal = journal
        self._poison = poison

    def compute(self, features, rows):
        return (features.cls[rows],)

    def say(self, info, *numbers):
        ((value,),) = numbers
        self._journal.append(f"say {name_of(info)}")
        if value in self._poison:
            raise RuntimeError("poison")
        return [Result(info, self.name, JSON, json.dumps(float(value)).encode())]


class Sum(BatchOperator, StreamOperator):
    """Says the sum of all values of an unbroken run so far."""

    name = "sum"

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}

    def compute(self, features, rows):
        return (features.cls[rows],)

    def say(self, info, *numbers):
        ((value,),) = numbers
        total = self._sums[info.stream] = self._sums.get(info.stream, 0.0) + float(value)
        return [Result(info, self.name, JSON, json.dumps(total).encode())]

    def reset(self, stream, reason):
        self._sums.pop(stream, None)
        return []

    def snapshot(self, stream):
        return json.dumps(self._sums.get(stream, 0.0)).encode()

    def restore(self, stream, state):
        self._sums[stream] = json.loads(state)


class Reader(Operator):
    """Reads features by itself."""

    name = "reader"

    def __call__(self, features: Features) -> list[Result]:
        return [
            Result(info, self.name, JSON, json.dumps(float(features.cls[row, 0])).encode())
            for row, info in enumerate(features.infos)
        ]


class Feed:
    """All that is asked for comes at once; goes on after a spec's cursor."""

    def __init__(self, chunks: dict[str, list[list]]) -> None:
        self._chunks = chunks
        self._left: dict[str, deque] = {}
        self._asked: list[str] = []
        self._stopped: set[str] = set()

    def open(self, spec: StreamSpec) -> None:
        done = spec.cursor["chunk"] + 1 if spec.cursor else 0
        self._left[spec.stream] = deque(self._chunks[spec.stream][done:])

    def request(self, stream: str) -> None:
        self._asked.append(stream)

    def wait(self, timeout_s: float) -> list[Chunk]:
        asked, self._asked = self._asked, []
        return [Chunk(tuple(self._next(stream))) for stream in asked]

    def _next(self, stream: str) -> list:
        if stream in self._stopped:
            return [End(stream, "stopped")]
        return self._left[stream].popleft()

    def stop(self, stream: str) -> None:
        self._stopped.add(stream)


def name_of(info: FrameInfo) -> str:
    return f"{info.stream}{info.position}"


def run_of(stream: str, numbers: range, chunk: int, arrived_s: tuple[float, ...] = ()) -> Frames:
    pixels = np.zeros((len(numbers), 14, 14, 3), np.uint8)
    pixels[:, 0, 0, 0] = numbers
    infos = tuple(
        FrameInfo(stream, "s", str(n), n, Fraction(1, 5), n * 200_000, 0, (14, 14)) for n in numbers
    )
    return Frames(infos, pixels, (1,) * len(numbers), {"chunk": chunk}, arrived_s=arrived_s)


def clip(stream: str, count: int, chunk_frames: int = 6) -> list[list]:
    firsts = range(0, count, chunk_frames)
    chunks: list[list] = [
        [run_of(stream, range(first, min(first + chunk_frames, count)), number)]
        for number, first in enumerate(firsts)
    ]
    chunks[-1].append(End(stream, "ok", decoded=count, sampled=count))
    return chunks


def spec_of(stream: str, **more) -> StreamSpec:
    return StreamSpec(stream=stream, url="x", session="s", samplings=(FPS5,), **more)


def shard_of(chunks, sink, journal, *operators, poison=frozenset(), **more) -> Shard:
    placements = [Placement(one, FPS5, 0, {one.name: "v"}) for one in operators]

    def lane(spec, progress):
        publisher = Publisher(progress.stream, "job", "model", clock_us=lambda: 0)
        return Lane(spec, progress, placements, publisher)

    return Shard(Engine(Pixels(journal, poison), operators), Feed(chunks), sink, lane, **more)


def identities(sink: ListSink) -> list[tuple[str, str, bytes]]:
    return sorted((message.topic, message.id, message.value) for message in sink.messages)


def results(sink: ListSink) -> list[tuple]:
    """Dead letters without their tracebacks, whose way through the code is another on a card, and
    no manifests, which say what the letters' ids are."""
    letters = [json.loads(one.value) for one in sink.messages if one.topic == "deadletter"]
    told = [(one["operator"], one["stream"], one["position"], one["error"]) for one in letters]
    return [*sorted(told), *(one for one in identities(sink) if one[0] not in LETTERS)]


@pytest.fixture
def card(monkeypatch):
    """From then on features lie on a card."""
    return lambda: monkeypatch.setattr(Features, "on_host", property(lambda _: False))


def most_open(journal: list[str]) -> int:
    """Batches that were launched before anything was said of the first of them."""
    at_once = most = 0
    for told in journal:
        at_once = at_once + 1 if told.startswith("launch") else 0
        most = max(most, at_once)
    return most


def test_the_next_batch_is_launched_before_records_are_made_of_the_one_before(card) -> None:
    card()
    journal: list[str] = []
    chunks = {name: clip(name, 4, 4) for name in "abc"}
    shard_of(chunks, ListSink(), journal, Echo(journal)).run(JOBS, [spec_of(n) for n in "abc"])
    said = {name: [f"say {name}{number}" for number in range(4)] for name in "abc"}
    begun = ["launch a0", "launch b0", *said["a"], "launch c0", *said["b"], *said["c"]]
    assert journal == begun


def test_a_batch_does_not_wait_for_frames_that_are_still_to_come(card) -> None:
    card()
    journal: list[str] = []
    shard_of({"a": clip("a", 8, 4)}, ListSink(), journal, Echo(journal)).run(JOBS, [spec_of("a")])
    assert journal.index("say a3") < journal.index("launch a4")


@pytest.mark.parametrize("reads", [False, True], ids=["on a CPU", "features are read"])
def test_no_batch_is_left_open(card, reads: bool) -> None:
    if reads:
        card()
    journal: list[str] = []
    operators = [Echo(journal), *([Reader()] if reads else [])]
    chunks = {name: clip(name, 4, 4) for name in "abc"}
    shard_of(chunks, ListSink(), journal, *operators).run(JOBS, [spec_of(n) for n in "abc"])
    assert most_open(journal) == 1


@pytest.mark.parametrize(
    ("unsaid", "unseen"),
    [(frozenset(), frozenset()), (frozenset({5, 9}), frozenset()), (frozenset(), frozenset({7}))],
    ids=["sound", "an operator fails", "the backbone fails"],
)
def test_records_and_ledgers_are_those_of_a_cpu(card, unsaid, unseen) -> None:
    sinks, specs = (ListSink(), ListSink()), [spec_of(name) for name in LENGTHS]
    for sink in sinks:
        journal: list[str] = []
        chunks = {name: clip(name, count) for name, count in LENGTHS.items()}
        operators = (Echo(journal, unsaid), Sum())
        shard_of(chunks, sink, journal, *operators, poison=unseen).run(JOBS, specs)
        card()
    assert most_open(journal) > 1
    assert results(sinks[0]) == results(sinks[1])
    for name in LENGTHS:
        own = [sink.stored["job", name] for sink in sinks]
        assert own[0].ledger == own[1].ledger
        assert own[0].frames == own[1].frames == LENGTHS[name]


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ("operators.fetch.Fetch.wait", RuntimeError("CUDA error: an illegal memory access")),
        ("operators.fetch.Fetch.__init__", torch.AcceleratorError("CUDA error: an illegal one")),
    ],
    ids=["waited for", "launched"],
)
def test_a_card_that_fails_ends_the_run_and_no_frame_is_blamed(
    card, monkeypatch, where: str, error: Exception
) -> None:
    card()
    sink, journal = ListSink(), []

    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(where, fails)
    shard = shard_of({"a": clip("a", 8)}, sink, journal, Echo(journal), Sum())
    with pytest.raises(RuntimeFailure, match="cpu failed on a batch: CUDA error: an illegal"):
        shard.run(JOBS, [spec_of("a")])
    assert not [one for one in sink.messages if one.topic in ("deadletter", "echo", "sum")]


@pytest.mark.parametrize("commits", [1, 3, 5, 8])
def test_a_killed_run_resumes_to_the_same_records(card, commits: int) -> None:
    class Failing(ListSink):
        left = commits

        def commit(self, commits):
            self.left -= len(commits)
            if self.left < 0:
                raise SinkError("gone")
            return super().commit(commits)

    whole, sink, specs = ListSink(), Failing(), [spec_of(name) for name in LENGTHS]
    chunks = {name: clip(name, count) for name, count in LENGTHS.items()}
    shard_of(chunks, whole, [], Echo([]), Sum()).run(JOBS, specs)
    card()
    with pytest.raises(SinkError):
        shard_of(chunks, sink, [], Echo([]), Sum()).run(JOBS, specs)
    sink.left = 99
    tally = shard_of(chunks, sink, [], Echo([]), Sum()).run(JOBS, specs)
    assert identities(sink) == identities(whole)
    assert (tally.receipt.repeated, tally.receipt.conflicting) == (0, 0)


def test_a_recording_that_is_cut_off_with_a_batch_open_goes_on_another_day(card) -> None:
    """`stop` comes while two batches are launched, and there is no time left to drain."""
    whole, sink, specs = ListSink(), ListSink(), [spec_of(name) for name in LENGTHS]
    chunks = {name: clip(name, count) for name, count in LENGTHS.items()}
    shard_of(chunks, whole, [], Echo([]), Sum()).run(JOBS, specs)
    card()

    class Stopping(Echo):
        def say(self, info, *numbers):
            shard.stop()
            return super().say(info, *numbers)

    journal: list[str] = []
    shard = shard_of(chunks, sink, journal, Stopping(journal), Sum(), drain_s=0.0)
    tally = shard.run(JOBS, specs)
    assert most_open(journal) > 1
    assert {outcome.status for outcome in tally.outcomes} == {"stopped"}
    assert len(sink.messages) < len(whole.messages)
    tally = shard_of(chunks, sink, [], Echo([]), Sum()).run(JOBS, specs)
    assert identities(sink) == identities(whole)
    assert tally.receipt.conflicting == 0


def test_frames_that_come_too_late_are_dropped_behind_those_that_are_computed(card) -> None:
    """The others of their run are in a batch that is open then."""
    card()
    clock, sink, journal = ManualClock(), ListSink(), []

    class Slow(Pixels):
        def __call__(self, batch):
            clock.advance(4.0)
            return super().__call__(batch)

    run = run_of("cam", range(6), 0, arrived_s=(0.0,) * 6)
    chunks = {"cam": [[run], [End("cam", "stopped")]]}
    shard = shard_of(chunks, sink, journal, Echo(journal), max_age_s=3.0, clock=clock)
    shard._flight._engine.backbone = Slow(journal)
    shard.run(JOBS, [replace(spec_of("cam"), live=True)])
    said = [message for message in sink.messages if message.topic == "echo"]
    assert [json.loads(message.value) for message in said] == [0, 1, 2, 3]
    ledger = sink.stored["job", "cam"].ledger["echo"]
    assert ledger == {"sampled": 4, "published": 4, "dropped": 2, "dropped_late": 2}
    events = [json.loads(one.value) for one in sink.messages if one.topic == "events"]
    assert [one["position"] for one in events if one["kind"] == "dropped"] == ["5"]
