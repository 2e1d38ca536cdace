"""Decode actors that die, are stopped or lose their node: asked or not, once or again and again."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import ray

from pipeline.decode.backoff import FIRST_S
from pipeline.decode.host import DecodeHost
from pipeline.runtime.ray_decoder import DecodeActor
from pipeline.runtime.ray_feed import RayFeed
from pipeline.runtime.ray_watch import Patience
from pipeline.stream.chunk import Chunk, End, Entry, Fault, Frames, Gap, Trouble
from pipeline.stream.feed import Feed
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec
from pipeline.testing import ManualClock

PATIENCE = Patience()


@pytest.fixture(scope="module")
def recording(small_clip, tmp_path_factory) -> StreamSpec:
    """80 frames, in chunks of 16."""
    path = small_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", "bars", frames=80)
    rules = (Sampling("all", None),)
    return StreamSpec("clip", str(path), session="s", samplings=rules, chunk_ms=10_000)


@pytest.fixture(scope="module")
def undisturbed(recording) -> list[str]:
    """Positions of its frames."""
    host = DecodeHost()
    host.open(recording)
    try:
        return rest_of(host)
    finally:
        host.close()


class Fragile:
    """A decode actor that every request kills."""

    def open(self, spec: StreamSpec) -> None:
        """Takes it."""

    def exchange(self, wanted: list[str], timeout_s: float) -> Chunk:
        os._exit(1)

    def stop(self, stream: str) -> None:
        """Has nothing to stop."""


@pytest.mark.slow
def test_what_kills_its_actor_is_given_up_and_a_camera_beside_it_is_not(connected) -> None:
    feed = RayFeed(connected.here(Fragile).remote, 1, PATIENCE)
    feed.open(StreamSpec("clip", "clip.mp4", session="s"))
    feed.open(StreamSpec("gate", "rtsp://127.0.0.1:1/gate", live=True))
    feed.request("clip")
    feed.request("gate")
    said: list[Entry] = []
    faults: list[str] = []
    while "clip" not in faults:
        for entry in (entry for chunk in feed.wait(1.0) for entry in chunk.entries):
            said.append(entry)
            if isinstance(entry, Fault):
                faults.append(entry.stream)
    feed.close()
    (end,) = [entry for entry in said if isinstance(entry, End)]
    assert (end.stream, end.outcome) == ("clip", "rejected")
    assert faults.count("gate") == 1, "told once, until it brings frames"


class Mortal(DecodeActor):
    """A decode actor that says where it lives."""

    def pid(self) -> int:
        return os.getpid()


@pytest.mark.slow
def test_a_killed_actor_loses_no_frame_of_a_recording_and_counts_those_of_a_camera(
    connected, shared_media: Path
) -> None:
    clip = str(shared_media / "videos" / "R6llTwEh07w.mp4")
    feed = RayFeed(connected.here(Mortal).remote, 1, PATIENCE)
    rules = (Sampling("every", 3),)
    feed.open(StreamSpec("clip", clip, session="s", samplings=rules, short_side=28))
    feed.open(StreamSpec("gate", clip, live=True, samplings=rules, short_side=28))
    said: dict[str, list[Entry]] = {"clip": [], "gate": []}
    outstanding: set[str] = set()

    def ask(*streams: str) -> None:
        for stream in streams:
            outstanding.add(stream)
            feed.request(stream)

    def receive() -> None:
        while outstanding:
            for entry in (entry for chunk in feed.wait(1.0) for entry in chunk.entries):
                if isinstance(entry, Trouble):
                    said[entry.stream].append(entry)
                    continue
                if entry.stream not in outstanding:
                    assert said[entry.stream][-1] in received, "nothing comes unasked"
                received.append(entry)
                said[entry.stream].append(entry)
            outstanding.difference_update(entry.stream for entry in received)
            received.clear()

    received: list[Entry] = []
    for turn in range(12):
        if turn == 6:
            feed.stop("gate")
        streams = [s for s in said if not (said[s] and isinstance(said[s][-1], End))]
        if turn in (1, 3):
            pid = ray.get(feed._hosts[0].actor.pid.remote())
            asked = turn == 1
            if asked:
                ask(*streams)
            os.kill(pid, signal.SIGKILL)
            if not asked:
                ask(*streams)
        elif streams:
            ask(*streams)
        receive()
    feed.stop("clip")
    feed.close()
    runs = [run for run in said["clip"] if isinstance(run, Frames)]
    assert [run.before for run in runs] == [
        sum(len(one.infos) for one in runs[:number]) for number in range(len(runs))
    ]
    end = said["clip"][-1]
    assert isinstance(end, End)
    assert (end.outcome, end.decoded, end.sampled) == ("ok", 303, 101)
    brought = sum(len(run.infos) for run in said["gate"] if isinstance(run, Frames))
    brought += sum(gap.dropped for gap in said["gate"] if isinstance(gap, Gap))
    end = said["gate"][-1]
    assert isinstance(end, End)
    assert end.sampled == brought
    assert [one.kind for one in said["gate"] if isinstance(one, Fault)].count("crashed") == 2


class Telling(DecodeActor):
    """Waits for a chunk, however long that takes, and leaves word that it is there."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def exchange(self, wanted: list[str], timeout_s: float) -> Chunk:
        chunk = super().exchange(wanted, 60.0)
        (self._folder / chunk.entries[0].stream).touch()
        return chunk


@pytest.mark.slow
def test_a_stopped_actor_is_killed_and_its_clip_goes_on(
    connected, processes, recording, undisturbed
) -> None:
    clock = ManualClock()
    feed = RayFeed(connected.here(DecodeActor).remote, 1, PATIENCE, clock)
    feed.open(recording)
    begun = chunk_of(feed)
    (pid,) = connected.actors("DecodeActor")
    processes.stop(pid)
    feed.request("clip")
    assert feed.wait(0.1) == []
    clock.advance(PATIENCE.silence_s)
    assert feed.wait(0.1) == [], "that long it may take"
    clock.advance(1)
    feed.wait(0.1)
    clock.advance(FIRST_S)
    assert [*begun, *rest_of(feed, asked=True)] == undisturbed
    processes.wait_until(lambda: not Path(f"/proc/{pid}").exists())
    feed.close()


@pytest.mark.slow
def test_a_chunk_that_died_with_its_node_is_decoded_again(
    connected, processes, recording, undisturbed, tmp_path
) -> None:
    node = connected.add(num_cpus=1, resources={"doomed": 1})
    doomed = ray.remote(num_cpus=0, resources={"doomed": 1})(Telling)
    places = iter([doomed])
    new = connected.here(Telling)
    feed = RayFeed(lambda: next(places, new).remote(tmp_path), 1, PATIENCE)
    feed.open(recording)
    feed.request("clip")
    processes.wait_until((tmp_path / "clip").exists)
    connected.kill(node)
    assert rest_of(feed, asked=True) == undisturbed
    feed.close()


@pytest.mark.slow
def test_a_chunk_that_waits_on_its_node_is_a_sign_of_life(
    connected, processes, recording, tmp_path
) -> None:
    node = connected.add(num_cpus=1, resources={"far": 1})
    new = ray.remote(num_cpus=0, resources={"far": 1})(Telling)
    clock = ManualClock()
    feed = RayFeed(lambda: new.remote(tmp_path), 1, PATIENCE, clock)
    feed.open(recording)
    feed.request("clip")
    (host,) = feed._hosts
    actor, call = host.actor, host.call
    processes.wait_until(lambda: ray.wait([call], timeout=0, fetch_local=False)[0])
    clock.advance(PATIENCE.start_s + 1)
    chunks = feed.wait(0.0) or processes.wait_until(lambda: feed.wait(0.0))
    assert positions(chunks)[0] == "0"
    assert host.actor is actor, "nobody killed it"
    feed.close()
    connected.kill(node)


def chunk_of(feed: Feed) -> list[str]:
    """Positions of the frames of one chunk that is asked for."""
    feed.request("clip")
    while not (chunks := feed.wait(1.0)):
        pass
    return positions(chunks)


def rest_of(feed: Feed, *, asked: bool = False) -> list[str]:
    """Positions of all frames to the clip's end, which must be a good one."""
    found: list[str] = []
    if not asked:
        feed.request("clip")
    while True:
        chunks = feed.wait(1.0)
        found += positions(chunks)
        for entry in (entry for chunk in chunks for entry in chunk.entries):
            if isinstance(entry, End):
                assert (entry.outcome, entry.lost) == ("ok", 0)
                return found
        if chunks:
            feed.request("clip")


def positions(chunks: list[Chunk]) -> list[str]:
    runs = [entry for chunk in chunks for entry in chunk.entries if isinstance(entry, Frames)]
    return [info.position for run in runs for info in run.infos]
