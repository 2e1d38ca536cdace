"""Plays recordings in this process, and through real decode processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import pytest

from pipeline.decode.collector import checksum
from pipeline.decode.host import DecodeHost
from pipeline.decode.playback import Playback
from pipeline.decode.process import ROOT
from pipeline.decode.track import Sample
from pipeline.decode.wire import Unpacker
from pipeline.stream.chunk import Chunk, Cursor, End, Entry, Fault, Frames, Gap
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec

Key = tuple[str, int, tuple[int, int], int | None, int]


@dataclass(frozen=True)
class Played:
    """What a playback yielded."""

    samples: list[Sample]
    gaps: list[Gap]
    faults: list[Fault]
    end: End

    @cached_property
    def keys(self) -> list[Key]:
        """Everything that has to be the same after a resume: identity, time, size and pixels."""
        return [self.key(sample) for sample in self.samples]

    @staticmethod
    def key(sample: Sample) -> Key:
        info = sample.info
        return (
            info.position,
            info.event_time_us,
            info.source_hw,
            info.pts,
            checksum(sample.pixels),
        )

    def cursor(self, index: int) -> Cursor:
        """As the chunk that ends with that sample carries it."""
        sample = self.samples[index]
        return {**sample.cursor, "checksum": checksum(sample.pixels)}


Play = Callable[..., Played]


@pytest.fixture(scope="session")
def play() -> Play:
    """Play a recording: `play(path, "fps:5", "keyframes", cursor=...)`."""

    @lru_cache(maxsize=4)  # pixels of whole clips; the tests of one clip run one after the other
    def whole(path: Path | str, short_side: int, *rules: str) -> Played:
        return play_anew(path, *rules, short_side=short_side)

    def run(path: Path | str, *rules: str, short_side: int = 224, **more: Any) -> Played:
        if more:
            return play_anew(path, *rules, short_side=short_side, **more)
        return whole(path, short_side, *rules)

    def play_anew(path: Path | str, *rules: str, **more: Any) -> Played:
        spec = recording(path, *rules, **more)
        items = [item for item in Playback(spec, lambda: 0).items() if item is not None]
        assert isinstance(items[-1], End)
        return Played(
            [item for item in items if isinstance(item, Sample)],
            [item for item in items if isinstance(item, Gap)],
            [item for item in items if isinstance(item, Fault)],
            items[-1],
        )

    return run


def recording(path: Path | str, *rules: str, **more: Any) -> StreamSpec:
    samplings = tuple(Sampling.parse(rule) for rule in rules or ("all",))
    facts: dict[str, Any] = {"stream": "clip", "session": "5e5510n", "samplings": samplings}
    return StreamSpec(url=str(path), **(facts | more))


@pytest.fixture(scope="session")
def spec() -> Callable[..., StreamSpec]:
    """The spec of a recording: `spec(path, "fps:5", stall_s=2)`."""
    return recording


@pytest.fixture
def host() -> Iterator[DecodeHost]:
    """A real host; its processes end with the test."""
    host = DecodeHost()
    yield host
    host.close()


def drained(host: DecodeHost, specs: Sequence[StreamSpec]) -> dict[str, list[Entry]]:
    """Ask all streams for chunks until each has ended."""
    entries: dict[str, list[Entry]] = {spec.stream: [] for spec in specs}
    for each in specs:
        host.open(each)
        host.request(each.stream)
    left = set(entries)
    while left:
        for chunk in host.wait(5.0):
            stream = chunk.entries[0].stream
            entries[stream] += chunk.entries
            if isinstance(chunk.entries[-1], End):
                left.remove(stream)
            else:
                host.request(stream)
    return entries


@pytest.fixture
def drain(host: DecodeHost) -> Callable[..., dict[str, list[Entry]]]:
    """Everything that specs give, by stream."""
    return lambda *specs: drained(host, specs)


IN_TURN = """
import json, os, resource, sys
from pipeline.decode.answers import Answers
from pipeline.decode.child import Orders, play
from pipeline.decode.slate import Slate
from pipeline.log_queue import LogQueue
from pipeline.stream.spec import StreamSpec
slate = Slate(os.memfd_create("slate"))
orders, answers = Orders(sys.stdin), Answers(1, slate, LogQueue())
for one in json.loads(sys.argv[1]):
    spec = StreamSpec.from_json(one)
    resource.setrlimit(resource.RLIMIT_AS, (spec.memory_bytes, spec.memory_bytes))
    play(spec, orders, answers)
os._exit(0)
"""
ENOUGH = b"next\n" * 10_000


@pytest.fixture(scope="session")
def plays_in_turn() -> Callable[[Sequence[Path]], Iterator[list[Entry]]]:
    """What a decode process makes of one recording after the other; an end tells of the memory that
    all so far took. To start a process for each costs more than to decode most of them."""

    def play(paths: Sequence[Path]) -> Iterator[list[Entry]]:
        specs = json.dumps([recording(path, short_side=56).to_json() for path in paths])
        command = [sys.executable, "-c", IN_TURN, specs]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe) as process:
            assert process.stdin
            assert process.stdout
            process.stdin.write(ENOUGH)
            process.stdin.flush()
            unpacker, entries = Unpacker(), list[Entry]()
            while data := os.read(process.stdout.fileno(), 1 << 18):
                for message in unpacker.feed(data):
                    entries += message.entries
                    if entries and isinstance(entries[-1], End):
                        yield entries
                        entries = []
            assert process.wait() == 0

    return play


@pytest.fixture(scope="session")
def next_chunk() -> Callable[[DecodeHost], Chunk]:
    """Wait for one chunk, whatever stream it is of."""

    def wait(host: DecodeHost) -> Chunk:
        while True:
            chunks = host.wait(5.0)
            if chunks:
                assert len(chunks) == 1
                return chunks[0]

    return wait


def frame_keys(entries: Sequence[Entry]) -> list[Key]:
    """The keys of all frames, as `Played.keys` gives them."""
    return [
        (info.position, info.event_time_us, info.source_hw, info.pts, checksum(pixels))
        for entry in entries
        if isinstance(entry, Frames)
        for info, pixels in zip(entry.infos, entry.pixels, strict=True)
    ]


@pytest.fixture(scope="session")
def keys() -> Callable[[Sequence[Entry]], list[Key]]:
    return frame_keys
