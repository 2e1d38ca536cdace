"""Whole jobs over real clips whose decoders are killed and which are resumed: every frame once."""

from __future__ import annotations

import os
import signal
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from pipeline.decode.host import DecodeHost
from pipeline.engine.shard import Outcome, Shard
from pipeline.errors import SinkError
from pipeline.stream.chunk import Chunk
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec
from pipeline.testing import ListSink

RULE = Sampling("every", 3)
CLIPS = (
    "bt601.mov",
    "carphone_pristine.mp4",
    "sample.flv",
    "sample_h265.ts",
    "test_non_zero_start.mp4",
    "video_desks.3gp",
)


class Killing(DecodeHost):
    """A host whose processes are killed after every other chunk, each."""

    def __init__(self) -> None:
        super().__init__()
        self.kills = 0
        self._chunks = Counter[str]()

    def wait(self, timeout_s: float) -> list[Chunk]:
        chunks = super().wait(timeout_s)
        for stream in (chunk.entries[-1].stream for chunk in chunks):
            self._chunks[stream] += 1
            if self._chunks[stream] % 2 and stream in self._streams and self.pid(stream):
                os.kill(self.pid(stream), signal.SIGKILL)
                self.kills += 1
        return chunks


class Short(ListSink):
    """Fails after so many commits."""

    left = 10**9

    def commit(self, commits):
        if not self.left:
            raise SinkError("gone")
        self.left -= 1
        return super().commit(commits)


@pytest.fixture
def run(engine_of, lanes_of):
    """Every clip of a folder, to its end."""

    def run(sink: ListSink, host: DecodeHost, folder: Path) -> list[Outcome]:
        engine = engine_of()
        shard = Shard(engine, host, sink, lanes_of(engine, RULE), most_open=3)
        specs = [
            StreamSpec(name, str(folder / name), session="5e55", samplings=(RULE,), short_side=28)
            for name in CLIPS
        ]
        try:
            return shard.run(dict.fromkeys(CLIPS, "j" * 12), specs).outcomes
        finally:
            host.close()

    return run


def records(sink: ListSink) -> dict[str, bytes]:
    return {message.id: message.value for message in sink.messages}


@pytest.mark.slow
def test_every_frame_of_every_clip_once(run, shared_media: Path) -> None:
    folder = shared_media / "videos"
    undisturbed, sink = Short(), Short()
    for outcome in run(undisturbed, DecodeHost(), folder):
        progress = undisturbed.stored["j" * 12, outcome.stream]
        taken = -(-Fraction(outcome.decoded) // 3)  # each third, the first among them
        assert (outcome.status, outcome.lost) == ("ok", 0), outcome
        assert progress.frames == progress.ledger["mean"]["published"] == taken

    kills = resumes = 0
    outcomes: list[Outcome] = []
    while not outcomes:
        sink.left = 9
        host = Killing()
        try:
            outcomes = run(sink, host, folder)
        except SinkError:
            resumes += 1
        kills += host.kills
    assert kills > 3
    assert resumes > 1
    assert records(sink) == records(undisturbed)
    for name in CLIPS:
        ours, theirs = (one.stored["j" * 12, name] for one in (sink, undisturbed))
        assert (ours.frames, ours.ledger, ours.status) == (theirs.frames, theirs.ledger, "ok")
