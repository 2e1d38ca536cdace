"""Decode actors that die: asked or not, once or again and again."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray

from pipeline.chunk import Chunk, End, Entry, Fault, Frames, Gap, Trouble
from pipeline.decode.spec import StreamSpec
from pipeline.runtime.ray_actors import DecodeActor
from pipeline.runtime.ray_feed import LIVES_WITHOUT_PROGRESS, RayFeed
from pipeline.sampling import Sampling


class Fragile:
    """A decode actor that every request kills."""

    def open(self, spec: StreamSpec) -> None:
        """Takes it."""

    def exchange(self, wanted: list[str], timeout_s: float) -> Chunk:
        os._exit(1)

    def stop(self, stream: str) -> None:
        """Has nothing to stop."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    ray.init(include_dashboard=False, configure_logging=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.mark.slow
def test_what_kills_its_actor_is_given_up_and_a_camera_beside_it_is_not(cluster: None) -> None:
    feed = RayFeed(ray.remote(num_cpus=0)(Fragile).remote, actors=1)
    feed.open(StreamSpec("clip", "clip.mp4", session="s"))
    feed.open(StreamSpec("gate", "rtsp://127.0.0.1:1/gate", live=True))
    feed.request("clip")
    feed.request("gate")
    said: list[Entry] = []
    faults: list[str] = []
    while len(faults) < 1 + LIVES_WITHOUT_PROGRESS:
        for entry in (entry for chunk in feed.wait(1.0) for entry in chunk.entries):
            said.append(entry)
            if isinstance(entry, Fault):
                faults.append(entry.stream)
    feed.close()
    (end,) = [entry for entry in said if isinstance(entry, End)]
    assert (end.stream, end.outcome) == ("clip", "rejected")
    assert faults.count("gate") == LIVES_WITHOUT_PROGRESS, "each death is told of a camera"


class Mortal(DecodeActor):
    """A decode actor that says where it lives."""

    def pid(self) -> int:
        return os.getpid()


@pytest.mark.slow
def test_a_killed_actor_loses_no_frame_of_a_recording_and_counts_those_of_a_camera(
    cluster: None, shared_media: Path
) -> None:
    clip = str(shared_media / "videos" / "R6llTwEh07w.mp4")
    feed = RayFeed(ray.remote(num_cpus=0)(Mortal).remote, actors=1)
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
