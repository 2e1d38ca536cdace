"""Live streams whose sink goes away: they go on, and what was kept is there in order, once."""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from fractions import Fraction

import numpy as np
import pytest

from operators.frames import FrameInfo
from operators.operator import Operator
from operators.result import JSON, Result
from pipeline.audit.reading import audited
from pipeline.engine.shard import Shard
from pipeline.errors import FencedError, RecordsTooLarge, SinkError
from pipeline.records.record import Refused
from pipeline.sinks.patient import PatientSink
from pipeline.sinks.spill import spill as log_of_one
from pipeline.sinks.spill.folder import SpillFolder
from pipeline.sinks.spill.segment import scan
from pipeline.sinks.sqlite.reader import SqliteReader
from pipeline.sinks.sqlite.sink import SqliteSink
from pipeline.stream.chunk import Chunk, End, Frames
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec

RULE = Sampling("all", None)
FRAMES = 4  # of a chunk
JOB = "j" * 12


class Database(SqliteSink):
    """A real one that can be `away`; `done`: commits are carried out all the same; `gone`: nobody
    waits for it any more. Takes `most` bytes of a record."""

    away = False
    gone = False
    done = False
    most = 1 << 30

    def __init__(self, path) -> None:
        super().__init__(path)
        self.took = threading.Event()

    def commit(self, commits):
        if self.gone:
            raise SinkError("gone for good")
        away = self.away
        if away and not self.done:
            raise SinkError("nobody answers", retryable=True)
        large = [m for one in commits for m in one.messages if len(m.value) > self.most]
        if large:
            refused = [Refused(m.topic, m.id, len(m.value), self.most) for m in large]
            raise RecordsTooLarge("larger than its topic takes", refused)
        receipt = super().commit(commits)
        if away:
            raise SinkError("the answer is lost", retryable=True)
        self.took.set()
        return receipt

    def go(self) -> None:
        self.away = True

    def come(self) -> None:
        """Back, until it has taken something."""
        self.took.clear()
        self.away = False
        assert self.took.wait(60)


class Cameras:
    """Hands out so many chunks of each stream. Something may happen before one of them, and, in the
    place of their ends, when all are through the shard."""

    shard: Shard

    def __init__(
        self, streams: str, chunks: int, then=(), *, session: str = "1", over=None
    ) -> None:
        self.left = {stream: chunks for stream in streams}
        self.chunks, self.session, self.over = chunks, session, over
        self.then = dict(then)
        self.asked: deque[str] = deque()

    def open(self, spec) -> None:
        pass

    def stop(self, stream: str) -> None:
        self.left[stream] = 0

    def request(self, stream: str) -> None:
        self.asked.append(stream)

    def wait(self, timeout_s: float) -> list[Chunk]:
        if self.over and self.are_through():
            self.over()
        if not self.asked:
            return []
        if self.over and not any(self.left[stream] for stream in self.asked):
            return []
        stream = self.asked.popleft()
        number = self.chunks - self.left[stream]
        if self.left[stream] == 0:
            if not self.over:
                return [Chunk((End(stream, "stopped"),))]
            self.asked.append(stream)
            return []
        if act := self.then.pop((stream, number), None):
            act()
        self.left[stream] -= 1
        infos = tuple(
            FrameInfo(
                *(stream, self.session, str(n), n, Fraction(1, 5), n * 200_000, 0, (360, 640))
            )
            for n in range(number * FRAMES, (number + 1) * FRAMES)
        )
        pixels = np.full((FRAMES, 14, 14, 3), number % 256, np.uint8)
        return [Chunk((Frames(infos, pixels, (1,) * FRAMES, {}),))]

    def are_through(self) -> bool:
        cameras = self.shard.tally.cameras
        done = [stream for stream, one in cameras.items() if one.frames == self.chunks * FRAMES]
        return len(done) == len(self.left)


class Talk(Operator):
    """One record per frame: the number of its chunk, of some at length."""

    name = "mean"

    def __init__(self, long=()) -> None:
        self.long = long

    def __call__(self, features):
        numbers = [int(value) for value in features.cls[:, 0]]
        return [
            Result(info, self.name, JSON, json.dumps("x" * 3000 if n in self.long else n).encode())
            for info, n in zip(features.infos, numbers, strict=False)
        ]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results.db"


@pytest.fixture
def sink(path):
    made = Database(path)
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path):
    return SpillFolder(tmp_path / "spill", "kafka://b:1?topic_prefix=p", 1 << 30)


@pytest.fixture
def run(engine_of, lanes_of, folder):
    """Cameras through a shard that keeps at once what cannot be sent."""

    def run(sink, feed, *, into=folder, long=(), drain_s=10.0, recordings=""):
        engine = engine_of(Talk(long))
        rules = {"spill": into, "keep_after_s": 0.0, "drain_s": drain_s}
        feed.shard = shard = Shard(engine, feed, sink, lanes_of(engine, RULE), **rules)
        names = list(feed.left)
        live = {one: one not in recordings for one in names}
        specs = [
            StreamSpec(one, "x", live[one], "" if live[one] else "1", (RULE,)) for one in names
        ]
        return shard.run(dict.fromkeys(names, JOB), specs)

    return run


def records(path, topic: str, stream: str) -> list:
    reader = SqliteReader(path)
    try:
        found = [r.message for r in reader.records([topic]) if r.message.key == stream]
    finally:
        reader.close()
    return found


def frames(path, stream: str) -> list[tuple[str, int]]:
    return [(m.headers["ce_session"], int(m.position)) for m in records(path, "mean", stream)]


def events(path, stream: str) -> list[dict]:
    return [json.loads(message.value) for message in records(path, "events", stream)]


def kinds(path, stream: str) -> list[str]:
    return [event["kind"] for event in events(path, stream)]


def audit(path) -> dict:
    reader = SqliteReader(path)
    try:
        return {report.stream: report for report in audited(reader)}
    finally:
        reader.close()


def whole(session: str, chunks: int) -> list[tuple[str, int]]:
    return [(session, number) for number in range(chunks * FRAMES)]


def test_streams_go_on_while_the_sink_is_away_and_nothing_is_missing(run, sink, path, folder):
    """The sink comes back when a hundred chunks were asked for: they can only be kept by then."""
    then = {("a", 5): sink.go, ("a", 100): sink.come}
    tally = run(sink, Cameras("ab", 120, then))
    for stream in "ab":
        assert frames(path, stream) == whole("1", 120)
        assert kinds(path, stream) == ["started", "away", "outage", "ended"]
        outage = events(path, stream)[2]
        assert outage["kept"] >= 80 * FRAMES
        assert outage["since"] == events(path, stream)[1]["since"]
        assert tally.cameras[stream].frames == 120 * FRAMES
        assert tally.cameras[stream].ledger["mean"] == {"sampled": 480, "published": 480}
    assert all(report.complete and report.ended for report in audit(path).values())
    assert tally.records["mean"] == 2 * 120 * FRAMES
    assert not tally.kept
    assert not list(folder.path.glob("*/*")), "nothing is left on the disk"


def test_a_recording_waits_beside_a_camera_that_goes_on_and_misses_nothing(run, sink, path):
    done = []

    def come() -> None:
        done.append(60 - cameras.left["r"])
        sink.come()

    cameras = Cameras("ar", 60, {("a", 5): sink.go, ("a", 55): come})
    run(sink, cameras, recordings="r")
    assert done[0] < 20, "its chunks were not asked for"
    assert frames(path, "a") == frames(path, "r") == whole("1", 60)
    assert kinds(path, "r") == ["started"]
    assert audit(path)["a"].complete
    assert audit(path)["r"].complete


@pytest.fixture
def die(run):
    """A run of so many chunks whose sink goes away behind the fifth; it ends when all are kept."""

    def die(sink, streams: str, chunks: int, **more):
        def over() -> None:
            sink.gone = True

        cameras = Cameras(streams, chunks, {(streams[0], 5): sink.go}, over=over)
        with pytest.raises(SinkError, match="gone for good"):
            run(sink, cameras, **more)
        sink.away = sink.done = sink.gone = False
        return cameras.shard.tally

    return die


def test_what_a_dead_run_has_kept_goes_out_before_the_next_one_begins(run, die, sink, path, folder):
    tally = die(sink, "ab", 40)
    assert tally.kept["a"].records >= 30 * FRAMES
    assert tally.kept_in.startswith(str(folder.path))
    tally = run(sink, Cameras("a", 3, session="2"))
    assert frames(path, "a") == whole("1", 40) + whole("2", 3)
    assert frames(path, "b") == whole("1", 40), "no run follows this stream, and it is sent"
    assert tally.records["mean"] >= 60 * FRAMES
    assert tally.receipt.conflicting == 0
    reports = audit(path)
    assert all(report.complete for report in reports.values())
    assert reports["a"].operators["mean"] == {"sampled": 172, "published": 172}
    assert not list(folder.path.glob("*/*")), "nothing is left on the disk"


def test_a_run_that_dies_while_it_sends_what_another_has_kept_leaves_the_rest(
    run, die, sink, path, folder
):
    die(sink, "ab", 150, long=range(150))
    commit = sink.commit

    def commit_once(commits):
        sink.commit = fail
        return commit(commits)

    def fail(commits):
        raise SinkError("gone for good")

    sink.commit = commit_once
    with pytest.raises(SinkError, match="gone for good"):
        run(sink, Cameras("a", 1, session="2"))
    assert 5 * FRAMES < len(frames(path, "a")) < 150 * FRAMES
    sink.commit = commit
    run(sink, Cameras("a", 1, session="3"))
    assert frames(path, "a") == whole("1", 150) + whole("3", 1)
    assert frames(path, "b") == whole("1", 150)
    assert all(report.complete for report in audit(path).values())
    assert not list(folder.path.glob("*/*"))


def test_what_was_carried_out_without_an_answer_is_not_sent_again(run, die, sink, path):
    sink.done = True
    die(sink, "a", 30)
    tally = run(sink, Cameras("a", 1, session="2"))
    assert frames(path, "a") == whole("1", 30) + whole("2", 1)
    assert tally.receipt.repeated > 0
    assert tally.receipt.conflicting == 0
    assert audit(path)["a"].complete


def test_a_stream_that_another_writer_has_taken_is_not_sent_and_told(run, die, sink, path, caplog):
    die(sink, "ab", 20)
    sink.claim({"b": JOB})
    delivered = len(frames(path, "b"))
    run(sink, Cameras("a", 1, session="2"))
    assert frames(path, "a") == whole("1", 20) + whole("2", 1)
    assert len(frames(path, "b")) == delivered
    assert "b: another writer has taken it over since: " in caplog.text
    assert "records that were kept are LOST" in caplog.text


def test_who_was_fenced_during_an_outage_stops_and_the_others_go_out_at_the_next_start(
    run, sink, path, caplog
):
    other = Database(path)

    def over() -> None:
        other.claim({"b": JOB})
        sink.away = False

    with pytest.raises(FencedError, match="stream b: another writer"):
        run(sink, Cameras("ab", 30, {("a", 5): sink.go}, over=over))
    other.close()
    run(sink, Cameras("a", 1, session="2"))
    assert frames(path, "a") == whole("1", 30) + whole("2", 1)
    assert "b: another writer has taken it over since: " in caplog.text
    there = frames(path, "b")
    assert there == whole("1", len(there) // FRAMES), "what was committed before"


def test_who_is_stopped_while_the_sink_is_away_has_all_of_it_kept_the_ends_too(run, sink, path):
    def over() -> None:
        cameras.shard.stop()
        cameras.over = None

    cameras = Cameras("ab", 30, {("a", 5): sink.go}, over=over)
    tally = run(sink, cameras, drain_s=0.5)
    assert "the run is to end" in tally.given_up
    assert tally.kept.keys() == {"a", "b"}
    assert not any(tally.undelivered.values())
    sink.away = False
    run(sink, Cameras("a", 1, session="2"))
    assert frames(path, "a") == whole("1", 30) + whole("2", 1)
    assert kinds(path, "a") == ["started", "away", "ended", "started", "ended"]
    assert kinds(path, "b") == ["started", "away", "ended"]
    assert all(report.complete and report.ended for report in audit(path).values())


def test_who_is_stopped_while_much_is_kept_does_not_wait_until_it_is_sent(
    run, die, sink, path, monkeypatch
):
    """The sink is there again and slow: the end is asked for behind its first transaction."""
    die(sink, "a", 150, long=range(150))
    for module in ("recovery", "committer"):  # a quarter of that goes in one transaction
        monkeypatch.setattr(f"pipeline.engine.{module}.MOST_BYTES", 1 << 19)
    cameras = Cameras("a", 1, session="2")
    slow, interrupted, commit = threading.Event(), threading.Event(), sink.commit
    interrupt = PatientSink.interrupt

    def interrupting(self) -> None:
        interrupt(self)
        interrupted.set()

    monkeypatch.setattr(PatientSink, "interrupt", interrupting)

    def commit_and_stop(commits):
        if not slow.is_set():
            slow.set()
            cameras.shard.stop()
            assert interrupted.wait(60)
        return commit(commits)

    sink.commit = commit_and_stop
    tally = run(sink, cameras, drain_s=0.1)
    assert tally.given_up == "the run is to end before all that was kept is sent"
    sink.commit = commit
    run(sink, Cameras("a", 1, session="3"))
    assert frames(path, "a") == whole("1", 150) + whole("3", 1)
    assert audit(path)["a"].complete


def test_beyond_the_bound_the_oldest_go_counted_and_told(run, sink, path, folder, caplog):
    small = SpillFolder(folder.root, folder.sink, 100_000)
    then = {("a", 5): sink.go, ("a", 110): sink.come}
    tally = run(sink, Cameras("a", 120, then), into=small)
    assert "the spill is full: the oldest" in caplog.text
    dropped = [event for event in events(path, "a") if event["kind"] == "dropped"]
    assert {event["cause"] for event in dropped} == {"spill"}
    lost = sum(event["dropped"] for event in dropped)
    there = frames(path, "a")
    assert 0 < lost == 120 * FRAMES - len(there)
    assert there == sorted(set(there), key=lambda frame: frame[1])
    report = audit(path)["a"]
    assert report.complete, report.findings
    counts = {"sampled": len(there), "published": len(there), "dropped": lost}
    assert report.operators["mean"] == {**counts, "dropped_spill": lost}
    assert tally.cameras["a"].dropped["spill"] == lost
    assert events(path, "a")[-1]["operators"]["mean"] == report.operators["mean"]


def test_the_ledger_is_right_over_a_loss_a_kill_and_a_loss(run, die, sink, path, folder):
    small = SpillFolder(folder.root, folder.sink, 100_000)
    die(sink, "a", 110, into=small)
    then = {("a", 5): sink.go, ("a", 110): sink.come}
    run(sink, Cameras("a", 120, then, session="2"), into=small)
    report, there = audit(path)["a"], frames(path, "a")
    lost = 230 * FRAMES - len(there)
    assert report.complete, report.findings
    counts = {"sampled": len(there), "published": len(there), "dropped": lost}
    assert report.operators["mean"] == {**counts, "dropped_spill": lost}


def test_a_damaged_entry_is_missed_and_told_of_by_the_one_behind_it(
    run, die, sink, path, folder, caplog
):
    die(sink, "a", 30)
    (segment,) = folder.path.glob("*/*.log")
    found = list(scan(segment))[10]
    data = bytearray(segment.read_bytes())
    data[found.offset + found.size - 3] ^= 1
    segment.write_bytes(data)
    run(sink, Cameras("a", 2, session="2"))
    assert f"{segment}: what was kept at byte {found.offset} is LOST" in caplog.text
    there, report = frames(path, "a"), audit(path)["a"]
    assert len(there) == 31 * FRAMES
    (dropped,) = [event for event in events(path, "a") if event["kind"] == "dropped"]
    assert (dropped["dropped"], dropped["cause"]) == (FRAMES, "spill")
    assert report.complete, report.findings
    assert report.operators["mean"]["dropped_spill"] == FRAMES


def test_behind_a_damaged_header_nothing_is_read_and_what_is_before_is_sent(
    run, die, sink, path, folder, caplog
):
    die(sink, "a", 30)
    (segment,) = folder.path.glob("*/*.log")
    found = list(scan(segment))[10]
    data = bytearray(segment.read_bytes())
    data[found.offset + 1] ^= 1
    segment.write_bytes(data)
    run(sink, Cameras("a", 2, session="2"))
    assert f"{segment}: what was kept at byte {found.offset} is LOST" in caplog.text
    there = frames(path, "a")
    first = len(there) - 2 * FRAMES
    assert 5 * FRAMES <= first < 30 * FRAMES
    assert there == [("1", number) for number in range(first)] + whole("2", 2)
    assert audit(path)["a"].complete


def test_records_that_turn_out_too_large_become_dead_letters(run, sink, path):
    """When the lane has gone on, and the ledger and the manifests after it were made."""

    def shrink() -> None:
        sink.most = 2200  # what progress and manifests stay below
        sink.come()

    run(sink, Cameras("a", 118, {("a", 2): sink.go, ("a", 115): shrink}), long=range(60, 80))
    letters = [json.loads(m.value) for m in records(path, "deadletter", "a")]
    assert {letter["error"] for letter in letters} == {"RecordTooLarge"}
    assert [int(letter["position"]) // FRAMES for letter in letters[::FRAMES]] == [*range(60, 80)]
    report = audit(path)["a"]
    assert report.complete, report.findings
    counts = {"sampled": 118 * FRAMES, "published": 98 * FRAMES, "deadletter": 20 * FRAMES}
    assert report.operators["mean"] == counts


def test_where_the_disk_takes_nothing_streams_wait_as_without_a_spill(
    run, sink, path, folder, caplog
):
    tiny = SpillFolder(folder.root, folder.sink, 100)
    sink.away = True
    caplog.set_level(logging.ERROR)

    class Told(logging.Handler):
        def emit(self, record) -> None:
            if "results cannot be kept in" in record.getMessage():
                sink.away = False

    handler = Told()
    logging.getLogger("pipeline.engine.keeper").addHandler(handler)
    try:
        run(sink, Cameras("a", 20), into=tiny)
    finally:
        logging.getLogger("pipeline.engine.keeper").removeHandler(handler)
    assert frames(path, "a") == whole("1", 20)
    assert audit(path)["a"].complete


def test_two_runs_with_one_folder_have_logs_of_their_own(folder):
    folder.make()
    with folder.taking_over(pytest.fail):
        one, other = folder.begin(), folder.begin()
        assert one.folder != other.folder
        assert list(folder.left()) == []
    one.close()
    other.close()
    assert log_of_one.LOCK not in {path.name for path in folder.path.rglob("*")}
