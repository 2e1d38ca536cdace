"""What is live and has no clock is stamped as it arrives; by a hand-set clock."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from random import Random

import pytest

from pipeline.media.arrivals import EARLY_US, Arrivals
from pipeline.stream.sampling import Sampler, Sampling

PICTURE = bytes(100)


class Line:
    """A picture of 100 bytes comes at each of these times."""

    def __init__(self, times_s: list[float], *, pieces: int = 1) -> None:
        self._reads = iter([time_s for time_s in times_s for _ in range(pieces)])
        self._size = len(PICTURE) // pieces
        self.now_s = 0.0

    def read(self, size: int) -> bytes:
        self.now_s = next(self._reads)
        return PICTURE[: self._size]

    def close(self) -> None:
        pass


def stamps(times_s: list[float], *, ahead: int = 1, pieces: int = 1) -> Iterator[int]:
    """What each picture gets where the demuxer has read `ahead` pictures before it asks."""
    line = Line(times_s, pieces=pieces)
    arrivals = Arrivals(line, lambda: line.now_s)
    read = 0
    for number in range(len(times_s)):
        while read < min(number + ahead, len(times_s)) * pieces:
            arrivals.read(1000)
            read += 1
        yield arrivals.at_us(100 * (number + 1))


@pytest.mark.parametrize("ahead", [1, 3, 12])
@pytest.mark.parametrize("pieces", [1, 4])
def test_a_picture_is_stamped_when_its_last_byte_came(ahead: int, pieces: int) -> None:
    """However many pictures were read to find out what they are."""
    times_s = [5 + 0.2 * number for number in range(12)]
    wanted = [0] + [EARLY_US + 200_000 * number for number in range(1, 12)]
    assert list(stamps(times_s, ahead=ahead, pieces=pieces)) == wanted


def test_a_camera_at_the_sampling_rate_is_sampled_whole_though_the_network_jitters() -> None:
    rng = Random(1)
    times_s = [0.2 * number + rng.uniform(0.0, 0.018) for number in range(500)]
    sampler = Sampler([Sampling("fps", 5)], Fraction(1, 1_000_000))
    taken = [sampler.take(stamp, keyframe=True) for stamp in stamps(times_s)]
    assert all(taken)
    faster = Sampler([Sampling("fps", 2)], Fraction(1, 1_000_000))
    assert sum(faster.take(stamp, keyframe=True) for stamp in stamps(times_s)) == 200


def test_pictures_that_come_together_are_told_apart() -> None:
    times_s = [0.0, 0.2, 0.2, 0.2, 0.4]
    wanted = [0, EARLY_US + 200_000, EARLY_US + 200_001, EARLY_US + 200_002, EARLY_US + 400_000]
    assert list(stamps(times_s)) == wanted
