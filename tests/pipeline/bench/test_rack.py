"""Cameras that cost nothing, behind a real decode host."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from pipeline.bench.noise_camera import SOURCE_HW
from pipeline.bench.rack import Rack
from pipeline.decode.host import DecodeHost
from pipeline.decode.live import LiveSupervisor
from pipeline.stream.chunk import Chunk, End, Frames, Gap
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec

WAIT_S = 60.0


@pytest.fixture
def rack() -> Iterator[Rack]:
    with Rack() as rack:
        yield rack


@pytest.fixture
def host(rack: Rack) -> Iterator[DecodeHost]:
    with closing(DecodeHost(launch=rack.launch)) as host:
        yield host


def camera(stream: str, fps: float, **more) -> StreamSpec:
    rules = (Sampling("fps", fps),)
    facts = {"samplings": rules, "short_side": 28, "chunk_ms": 1, **more}
    return StreamSpec(stream, f"rtsp://localhost/{stream}", live=True, **facts)


def chunks(host: DecodeHost) -> Iterator[Chunk]:
    until_s = time.monotonic() + WAIT_S
    while time.monotonic() < until_s:
        yield from host.wait(0.25)
    raise AssertionError("waited in vain")


def test_every_frame_comes_once_and_in_order_until_the_end(host: DecodeHost) -> None:
    for name in ("a", "b"):
        host.open(camera(name, 100.0, epoch=7))
        host.request(name)
    runs: dict[str, list[Frames]] = {"a": [], "b": []}
    ends: dict[str, End] = {}
    for chunk in chunks(host):
        (stream,) = {entry.stream for entry in chunk.entries}
        for entry in chunk.entries:
            if isinstance(entry, Frames):
                runs[stream].append(entry)
            elif isinstance(entry, End):
                ends[stream] = entry
        if len(runs[stream]) == 5:
            host.stop(stream)
        if stream not in ends:
            host.request(stream)
        if len(ends) == 2:
            break
    for stream, came in runs.items():
        infos = [info for run in came for info in run.infos]
        assert [info.position for info in infos] == [str(1 + at) for at in range(len(infos))]
        assert ends[stream].sampled == len(infos)
        assert ends[stream].outcome == "stopped"
        assert {info.epoch for info in infos} == {7}
        assert {info.source_hw for info in infos} == {SOURCE_HW}
        assert came[0].size_hw == (28, 28)
        assert len(np.unique(came[0].pixels)) > 200, "noise"


def test_frames_that_nobody_asks_for_are_dropped_and_counted(host: DecodeHost) -> None:
    host.open(camera("a", 500.0, buffer_frames=4))
    host.request("a")
    dropped = taken = 0
    for chunk in chunks(host):
        for entry in chunk.entries:
            dropped += entry.dropped if isinstance(entry, Gap) else 0
            taken += len(entry.infos) if isinstance(entry, Frames) else 0
            if isinstance(entry, End):
                assert dropped + taken == entry.sampled
                assert dropped
                return
        if dropped:
            host.stop("a")
        else:
            time.sleep(0.05)  # while a hundred frames find no room
        host.request("a")


def test_a_host_looks_at_a_stream_when_it_has_said_something(
    host: DecodeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One camera is busy, forty-nine live: those say so once, and are not looked at meanwhile."""
    looks, messages = Counter[str](), Counter[str]()
    wake_s, read = LiveSupervisor.wake_s, LiveSupervisor.read

    def counted_wake_s(self: LiveSupervisor) -> float | None:
        looks[self._spec.stream] += 1
        return wake_s(self)

    def counted_read(self: LiveSupervisor) -> None:
        messages[self._spec.stream] += 1
        read(self)

    monkeypatch.setattr(LiveSupervisor, "wake_s", counted_wake_s)
    monkeypatch.setattr(LiveSupervisor, "read", counted_read)
    idle = [f"idle-{number}" for number in range(49)]
    for name in idle:
        host.open(camera(name, 0.001))
    host.open(camera("busy", 200.0))
    host.request("busy")
    for turn, _ in enumerate(chunks(host), 1):
        if turn == 200:
            break
        host.request("busy")
    assert looks["busy"] >= 200
    assert max(messages[name] for name in idle) == 1
    assert max(looks[name] for name in idle) <= 4


def test_it_ends_with_whoever_started_it() -> None:
    with Rack() as rack, closing(DecodeHost(launch=rack.launch)) as host:
        host.open(camera("a", 10.0))
        pid = host.pid("a")
        assert pid is not None
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
