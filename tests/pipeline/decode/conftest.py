"""Plays recordings in this process, and through real decode processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from pipeline.decode.collector import checksum
from pipeline.decode.host import DecodeHost
from pipeline.decode.playback import Playback
from pipeline.decode.track import Sample
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

    @property
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
    def whole(path: Path | str, *rules: str) -> Played:
        return play_anew(path, *rules)

    def run(path: Path | str, *rules: str, **more: Any) -> Played:
        return play_anew(path, *rules, **more) if more else whole(path, *rules)

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
