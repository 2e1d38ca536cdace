"""Real clips, broken at random: each ends as ok, degraded or rejected, and nothing else happens."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from pipeline.stream.chunk import End, Fault, Frames

CLIPS = (
    "carphone_distorted.mp4",
    "sample_h265.ts",
    "bear-vp9-odd-dimensions.webm",
    "video_desks.3gp",
    "RATRACE_wave_f_nm_np1_fr_goo_37.avi",
    "av1_video.mkv",
    "v_shooting_01_01.mpg",
)


def flipped(data: bytearray, rng: Random) -> bytes:
    for _ in range(rng.choice([1, 5, 50, 500])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def cut(data: bytearray, rng: Random) -> bytes:
    return bytes(data[: rng.randrange(1, len(data))])


def spliced(data: bytearray, rng: Random) -> bytes:
    here, there, size = rng.randrange(len(data)), rng.randrange(len(data)), rng.randrange(1, 5000)
    data[here : here + size] = data[there : there + size]
    return bytes(data)


def beheaded(data: bytearray, rng: Random) -> bytes:
    for _ in range(rng.choice([1, 3, 10])):
        data[rng.randrange(2000)] = rng.randrange(256)
    return bytes(data)


@pytest.mark.slow
@pytest.mark.parametrize("name", CLIPS)
def test_mutations(host, spec, next_chunk, shared_media: Path, tmp_path: Path, name: str) -> None:
    rng = Random(name)
    original = (shared_media / "videos" / name).read_bytes()
    for number in range(12):
        mutate = rng.choice([flipped, cut, spliced, beheaded])
        path = tmp_path / f"{number}-{name}"
        path.write_bytes(mutate(bytearray(original), rng))
        host.open(spec(path))
        entries: list = []
        while not (entries and isinstance(entries[-1], End)):
            host.request("clip")
            entries += next_chunk(host).entries
        end = entries[-1]
        where = f"{mutate.__name__} {number}: {end}"
        assert end.memory_bytes < 1_000_000_000, where
        assert {e.kind for e in entries if isinstance(e, Fault)} <= {"decode"}, where
        assert (end.outcome == "rejected") == (end.decoded == 0) or end.outcome == "degraded", where
        infos = [info for e in entries if isinstance(e, Frames) for info in e.infos]
        assert len({info.position for info in infos}) == len(infos) == end.decoded, where
        times = [info.event_time_us for info in infos]
        assert times == sorted(times), where
