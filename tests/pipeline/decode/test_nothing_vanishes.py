"""Decode processes that die at the worst moments: every sampled frame is handed over or counted."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from pipeline.chunk import End, Entry, Fault, Frames, Gap
from pipeline.decode.host import DecodeHost

PATIENCE_S = 60.0


class Eager(Random):
    """Connects again at once."""

    def uniform(self, a: float, b: float) -> float:
        return 1e-4


class Consumer:
    """Asks a host for one stream's chunks, fast or slowly."""

    def __init__(self, host: DecodeHost) -> None:
        self.host = host
        self.entries: list[Entry] = []

    @property
    def ended(self) -> bool:
        return bool(self.entries) and isinstance(self.entries[-1], End)

    @property
    def end(self) -> End:
        assert isinstance(self.entries[-1], End)
        return self.entries[-1]

    def pull(self) -> None:
        """One request, one chunk."""
        self.host.request("clip")
        deadline_s = time.monotonic() + PATIENCE_S
        while not (chunks := self.host.wait(1.0)):
            assert time.monotonic() < deadline_s, "the request was not answered"
        (chunk,) = chunks
        self.entries += chunk.entries

    def kill(self, *, idle: bool) -> None:
        """SIGKILL its process; `idle`: let the host see it, and start another, before we ask."""
        killed = self.host.pid("clip")
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        deadline_s = time.monotonic() + PATIENCE_S
        while idle and self.host.pid("clip") in (killed, None):
            assert time.monotonic() < deadline_s
            assert self.host.wait(0.05) == [], "nothing comes unasked"

    def idle_until_decoded(self) -> None:
        """A slow consumer: whatever its process has decoded ahead is ready before we ask."""
        for _ in range(3):
            assert self.host.wait(0.1) == [], "nothing comes unasked"


@pytest.fixture
def consumer() -> Iterator[Consumer]:
    host = DecodeHost(rng=Eager())
    yield Consumer(host)
    host.close()


@pytest.mark.parametrize(
    ("idle", "slow"),
    [(False, True), (True, False), (True, True)],
    ids=["asked, slow", "idle, fast", "idle, slow"],
)
def test_a_recording_loses_nothing(
    consumer: Consumer, play, spec, keys, shared_media: Path, *, idle: bool, slow: bool
) -> None:
    clip = shared_media / "videos" / "R6llTwEh07w.mp4"
    whole = play(clip, "every:3")
    consumer.host.open(spec(clip, "every:3"))
    turn = 0
    while not consumer.ended:
        consumer.pull()
        turn += 1
        if slow and turn < 3:
            consumer.idle_until_decoded()
        if turn in (1, 3):
            consumer.kill(idle=idle)
    assert keys(consumer.entries) == whole.keys
    faults = [entry.kind for entry in consumer.entries if isinstance(entry, Fault)]
    assert faults == ["crashed"] * 2
    end = consumer.end
    assert (end.outcome, end.decoded, end.sampled, end.lost) == ("ok", 303, 101, 0)


@pytest.mark.parametrize(
    ("idle", "slow"),
    [(False, True), (True, False), (True, True)],
    ids=["asked, slow", "idle, fast", "idle, slow"],
)
def test_what_a_live_stream_loses_is_counted(
    consumer: Consumer, spec, shared_media: Path, *, idle: bool, slow: bool
) -> None:
    """A file followed as a camera: what died with its processes is in the faults, to the frame."""
    clip = shared_media / "videos" / "R6llTwEh07w.mp4"
    consumer.host.open(spec(clip, "every:2", live=True, session="", buffer_frames=40))
    for _ in range(2):
        consumer.pull()
        if slow:
            consumer.idle_until_decoded()
        consumer.kill(idle=idle)
        consumer.pull()
        consumer.pull()
    consumer.host.stop("clip")
    while not consumer.ended:
        consumer.pull()
    entries = consumer.entries
    handed = sum(len(entry.infos) for entry in entries if isinstance(entry, Frames))
    dropped = sum(entry.dropped for entry in entries if isinstance(entry, Gap))
    died = sum(entry.lost for entry in entries if isinstance(entry, Fault))
    assert handed > 0
    assert consumer.end.outcome == "stopped"
    assert consumer.end.sampled == handed + dropped + died
    assert consumer.end.lost == died
    assert [e.kind for e in entries if isinstance(e, Fault)].count("crashed") == 2
