"""Frames that were written as they are come back as they were, when they were."""

import numpy as np
import pytest

from pipeline.media.container import open_bytes
from pipeline.media.raw_video import RawVideo
from pipeline.media.reel import VideoReel

BEGAN_US = 1_795_000_000_123_457
SYNCPOINT = bytes.fromhex("4e4be4adeeca4569")
MAX_PIXELS = 1 << 24


def noise(size_hw, count):
    return np.random.default_rng(3).integers(0, 256, (count, *size_hw, 3), np.uint8)


def written(frames, times_us):
    video = RawVideo(frames.shape[1:3], times_us[0])
    return [video.packed(frame, us) for frame, us in zip(frames, times_us, strict=True)]


def read(data):
    opened = open_bytes(data, max_pixels=MAX_PIXELS)
    reel = VideoReel(opened, keyframes=False, max_pixels=MAX_PIXELS)
    pictures = [picture for picture in reel.pictures() if picture is not None]
    assert reel.time_base.denominator == 1_000_000
    began_us = reel.creation_time_us
    reel.close()
    return began_us, pictures


@pytest.mark.parametrize("size_hw", [(48, 64), (3, 5), (1, 1), (37, 1001)])
def test_pixels_come_back_bit_for_bit(size_hw):
    frames = noise(size_hw, 4)
    _, pictures = read(b"".join(written(frames, range(BEGAN_US, BEGAN_US + 4))))
    assert [picture.frame.format.name for picture in pictures] == ["rgb24"] * 4
    assert np.array_equal([picture.frame.to_ndarray() for picture in pictures], frames)


@pytest.mark.parametrize(
    "steps_us", [[1, 1, 1], [33_333, 33_334, 33_333], [1, 3_600_000_000, 86_400_000_000 * 400, 2]]
)
def test_times_come_back_to_the_microsecond(steps_us):
    times_us = [BEGAN_US + sum(steps_us[:count]) for count in range(len(steps_us) + 1)]
    began_us, pictures = read(b"".join(written(noise((8, 8), len(times_us)), times_us)))
    assert [picture.pts for picture in pictures] == times_us
    assert began_us == BEGAN_US


def test_a_frame_is_whole_as_soon_as_it_is_packed():
    frames = noise((48, 64), 3)
    pieces = written(frames, range(BEGAN_US, BEGAN_US + 3))
    assert len(read(b"".join(pieces[:2]))[1]) == 2
    assert all(piece.endswith(frame.tobytes()) for piece, frame in zip(pieces, frames, strict=True))


def test_whoever_reads_for_months_keeps_nothing_of_it():
    """libav's reader remembers every syncpoint."""
    pieces = written(noise((112, 112), 20), range(20))
    assert b"".join(pieces[1:]).count(SYNCPOINT) == 0
