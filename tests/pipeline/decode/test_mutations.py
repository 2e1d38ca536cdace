"""Real clips, broken at random, and clips that came broken: each ends as ok, degraded or rejected,
and nothing else happens."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

import pytest

from pipeline.stream.chunk import Fault, Frames

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
def test_mutations(plays_in_turn, shared_media: Path, tmp_path: Path, name: str) -> None:
    rng = Random(name)
    original = (shared_media / "videos" / name).read_bytes()
    paths, labels = [], []
    for number in range(12):
        mutate = rng.choice([flipped, cut, spliced, beheaded])
        paths.append(tmp_path / f"{number}-{name}")
        paths[-1].write_bytes(mutate(bytearray(original), rng))
        labels.append(f"{mutate.__name__} {number}")
    for label, entries in zip(labels, plays_in_turn(paths), strict=True):
        end = entries[-1]
        where = f"{label}: {end}"
        assert end.memory_bytes < 1_000_000_000, where
        assert {e.kind for e in entries if isinstance(e, Fault)} <= {"decode"}, where
        assert (end.outcome == "rejected") == (end.decoded == 0) or end.outcome == "degraded", where
        infos = [info for e in entries if isinstance(e, Frames) for info in e.infos]
        assert len({info.position for info in infos}) == len(infos) == end.decoded, where
        times = [info.event_time_us for info in infos]
        assert times == sorted(times), where


EXPECTED = {
    "corrupted.mp4": "degraded",
    "sample-with-large-length.avi": "ok",  # one of its 59 chunks is a null frame
    "blockgroup_block_ends_beyond_blockgroup.mkv": "ok",
    "discard_first_keyframe.mp4": "ok",
    "sample_empty_track.mp4": "ok",
    "sample_mdat_too_long.mp4": "ok",
    "unordered.mov": "ok",
}


@pytest.mark.slow
def test_every_broken_file_ends_in_time_within_memory(plays_in_turn, shared_media: Path) -> None:
    """Ok, degraded or rejected; never a crash, a hang or more than a gigabyte."""
    paths = sorted((shared_media / "corrupt").iterdir())
    began_s = time.monotonic()
    for path, entries in zip(paths, plays_in_turn(paths), strict=True):
        end = entries[-1]
        where = f"{path.name}: {end}"
        assert time.monotonic() - began_s < 10, where
        assert end.outcome == EXPECTED.get(path.name, "rejected"), where
        assert end.memory_bytes < 1_000_000_000, where
        assert {entry.kind for entry in entries if isinstance(entry, Fault)} <= {"decode"}, where
        assert (end.outcome == "ok") == (end.decoded > 0 and end.lost == 0), where
        assert end.detail or end.outcome == "ok", where
        began_s = time.monotonic()
