"""Decode actors that die again and again: recordings are given up, cameras never."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import ray

from pipeline.chunk import Chunk, End, Entry, Fault
from pipeline.decode.spec import StreamSpec
from pipeline.runtime.ray_feed import LIVES_WITHOUT_PROGRESS, RayFeed


class Fragile:
    """A decode actor that every request kills."""

    def open(self, spec: StreamSpec) -> None:
        """Takes it."""

    def exchange(self, wanted: list[str], timeout_s: float) -> Chunk:
        os._exit(1)

    def stop(self, stream: str) -> None:
        """Has nothing to stop."""


@pytest.fixture
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
    while not any(isinstance(entry, End) for entry in said):
        said += [entry for chunk in feed.wait(1.0) for entry in chunk.entries]
    feed.close()
    (end,) = [entry for entry in said if isinstance(entry, End)]
    assert (end.stream, end.outcome) == ("clip", "rejected")
    faults = [entry.stream for entry in said if isinstance(entry, Fault)]
    assert faults.count("gate") == LIVES_WITHOUT_PROGRESS, "each death is told of a camera"
