"""Which frames are computed next: a thousand cameras with deadlines and priorities, simulated."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import pytest

from operators.frames import FrameInfo
from pipeline.engine.lane import Lane
from pipeline.engine.scheduler import WAIT_SHARE, Scheduler
from pipeline.records.message import Publisher
from pipeline.stream.chunk import Frames
from pipeline.stream.progress import Progress
from pipeline.stream.spec import StreamSpec

PIXELS = {side: np.zeros((1, side, side, 3), np.uint8) for side in (14, 28)}


def lane_of(stream: str, **more) -> Lane:
    spec = StreamSpec(stream, "x", **{"live": True, **more})
    return Lane(spec, Progress("job", stream), (), Publisher(stream, "job", "model"))


def frame(stream: str, arrived_s: float, side: int = 14) -> Frames:
    info = FrameInfo(stream, "s", str(arrived_s), 0, Fraction(1, 2), 0, 0, (side, side))
    return Frames((info,), PIXELS[side], (1,), {}, arrived_s=(arrived_s,))


def test_a_frame_waits_for_mates_a_part_of_its_latency_and_never_past_its_deadline() -> None:
    lanes = {"a": lane_of("a", latency_ms=1000), "b": lane_of("b", latency_ms=1000)}
    scheduler = Scheduler(lanes, 8)
    scheduler.offer(lanes["a"], frame("a", 10.0), 10.0, patient=False)
    assert scheduler.due_s == pytest.approx(10.0 + WAIT_SHARE)
    for _ in range(100):
        scheduler.pace.see_batch(0.3)
        scheduler.pace.see_commit(0.1)
    scheduler.offer(lanes["b"], frame("b", 9.4), 10.0, patient=False)
    assert scheduler.due_s == pytest.approx(9.4 + 1.0 - 0.4), "it was decoded a while ago"


def test_recordings_alone_have_no_deadline() -> None:
    lanes = {"a": lane_of("a", live=False, session="s")}
    scheduler = Scheduler(lanes, 8)
    run = frame("a", 0.0)
    scheduler.offer(lanes["a"], Frames(run.infos, run.pixels, run.taken, {}), 10.0, patient=True)
    assert scheduler.due_s == float("inf")
    assert scheduler.cut(1e9) is None, "more of it may come"


def test_what_is_cut_off_is_every_live_streams_and_no_recordings() -> None:
    """A file that is followed live has no arrivals: its frames wait for as long as it takes."""
    lanes = {"cam": lane_of("cam"), "file": lane_of("file")}
    lanes["clip"] = lane_of("clip", live=False, session="s")
    scheduler = Scheduler(lanes, 8)
    scheduler.offer(lanes["cam"], frame("cam", 1.0), 1.0, patient=False)
    for name in ("file", "clip"):
        run = frame(name, 1.0)
        without = Frames(run.infos, run.pixels, run.taken, {})
        scheduler.offer(lanes[name], without, 1.0, patient=False)
    assert scheduler.cut_off() == [("cam", (1,)), ("file", (1,))]
    assert scheduler.cut(99.0).streams == ("clip",)


def test_only_lanes_with_news_are_looked_at_and_asked() -> None:
    lanes = {name: lane_of(name) for name in ("a", "b", "c")}
    scheduler = Scheduler(lanes, 8)
    scheduler.enter(["a", "b"])
    assert scheduler.take_hungry() == ["a", "b"]
    scheduler.wake(["b", "gone"])
    scheduler.wake(["b"])
    assert [lane.stream for lane in scheduler.woken(0.0)] == ["b"]
    assert scheduler.take_hungry() == ["b"]
    assert scheduler.take_hungry() == []


def simulate(
    lanes: Mapping[str, Lane], *, fps: float, pass_s: float, until_s: float
) -> dict[str, list[float]]:
    """Frames of all cameras through one engine: stream -> age of each when it was computed. Who is
    in work when its next frame comes has it replaced, as the decoder's buffer does."""
    scheduler = Scheduler(lanes, 8)
    ages: dict[str, list[float]] = defaultdict(list)
    waiting: dict[str, float] = {}
    comes = [(number / fps / len(lanes), name) for number, name in enumerate(lanes)]
    heapq.heapify(comes)
    offered: set[str] = set()
    now_s = 0.0
    while now_s < until_s:
        while comes[0][0] <= now_s:
            arrived_s, name = heapq.heapreplace(comes, (comes[0][0] + 1 / fps, comes[0][1]))
            waiting[name] = arrived_s
        for name in [name for name in waiting if name not in offered]:
            side = 28 if name.startswith("odd") else 14
            run = frame(name, waiting.pop(name), side)
            scheduler.offer(lanes[name], run, now_s, patient=False)
            offered.add(name)
        for name, _ in scheduler.expire(now_s - 5.0):
            offered.discard(name)
        batch = scheduler.cut(now_s)
        if batch is None:
            now_s = max(now_s, min(scheduler.due_s, comes[0][0]))
            continue
        now_s += pass_s
        scheduler.pace.see_batch(pass_s)
        for info in batch.frames.infos:
            ages[info.stream].append(now_s - float(info.position))
            offered.discard(info.stream)
    return ages


@pytest.mark.slow
def test_a_thousand_cameras_within_the_load_all_keep_their_latency() -> None:
    """2000 frames a second, 250 batches of 8 at 3 ms: three quarters of the engine."""
    names = [f"odd-{number}" if number % 100 == 0 else f"cam-{number}" for number in range(1000)]
    lanes = {name: lane_of(name, latency_ms=500) for name in names}
    ages = simulate(lanes, fps=2.0, pass_s=0.003, until_s=5.0)
    assert len(ages) == 1000
    assert all(len(ages[name]) >= 9 for name in names), "no frame was replaced"
    assert max(max(one) for one in ages.values()) <= 0.5


@pytest.mark.slow
def test_beyond_the_load_the_prioritised_keep_theirs_and_the_others_share_what_is_left() -> None:
    """The same at 6 ms: half as much again as the engine can do."""
    names = [f"vip-{number}" if number % 20 == 0 else f"cam-{number}" for number in range(1000)]
    lanes = {name: lane_of(name, priority=int(name.startswith("vip"))) for name in names}
    ages = simulate(lanes, fps=2.0, pass_s=0.006, until_s=10.0)
    prioritised = [age for name in names if name.startswith("vip") for age in ages[name]]
    assert max(prioritised) <= 1.0
    assert all(len(ages[name]) >= 19 for name in names if name.startswith("vip"))
    others = [len(ages[name]) for name in names if name.startswith("cam")]
    assert min(others) >= 0.5 * max(others), "none of them starves"
