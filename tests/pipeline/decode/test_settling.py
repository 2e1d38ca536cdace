"""What a connection begins with is kept until it is known how old it is, and no longer."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from pipeline.decode.settling import Settling
from pipeline.decode.track import Sample, Track
from pipeline.media.picture import Picture
from pipeline.stream.chunk import Gap
from pipeline.stream.sampling import Sampling
from pipeline.stream.slow_clock import MARGIN_S
from pipeline.stream.spec import StreamSpec
from pipeline.stream.timeline import Anchor
from pipeline.testing import ManualClock

OPENED_US = 1_700_000_000_000_000
US = 1_000_000


class Connection:
    """Ten pictures a second through a track; `local` is set by hand."""

    def __init__(self, behind_s: float = 0.0, rule: str = "all") -> None:
        spec = StreamSpec("s", "x", live=True, samplings=(Sampling.parse(rule),), short_side=14)
        anchor = Anchor(OPENED_US, "start-time")
        self.track = Track(spec, Fraction(1, 10), anchor, "session", live=True)
        self.settling = Settling(self.track, OPENED_US, int(behind_s * US))
        self.local = ManualClock()
        self.ready: list = []
        self.pts = 0

    def come(self, count: int, every_s: float) -> Connection:
        for _ in range(count):
            self.local.advance(every_s)
            now_us = OPENED_US + round(self.local() * US)
            frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
            items = self.track.follow(Picture.of(self._at(frame), 1), now_us, [])
            self.ready += self.settling.through(items, now_us, frame=True)
            self.pts += 1
        return self

    def _at(self, frame: av.VideoFrame) -> av.VideoFrame:
        frame.pts = self.pts
        return frame

    @property
    def samples(self) -> list[Sample]:
        return [item for item in self.ready if isinstance(item, Sample)]

    @property
    def lags_s(self) -> list[float]:
        return [(s.info.ingest_time_us - s.info.event_time_us) / US for s in self.samples]


def test_a_backlog_is_kept_and_dated_back() -> None:
    connection = Connection().come(20, 0.001)
    assert connection.ready == []
    connection.come(10, 0.1)
    assert len(connection.samples) == 30
    assert connection.lags_s[0] == pytest.approx(1.9 - 0.019 + MARGIN_S, abs=0.002)
    assert connection.lags_s[19:] == pytest.approx([MARGIN_S] * 11, abs=0.002)
    times = [s.info.event_time_us for s in connection.samples]
    assert {b - a for a, b in pairwise(times)} == {100_000}


def test_after_the_beginning_nothing_waits() -> None:
    connection = Connection().come(5, 0.1)
    for count in range(6, 9):
        assert len(connection.come(1, 0.1).samples) == count


def test_what_the_source_says_of_its_age_counts() -> None:
    connection = Connection(behind_s=6).come(30, 0.1)
    assert connection.lags_s[0] == pytest.approx(6.1)


def test_other_items_keep_their_places() -> None:
    connection = Connection().come(2, 0.001)
    connection.ready += connection.settling.through([Gap("s", "missing")], OPENED_US, frame=False)
    connection.come(9, 0.1)
    assert [isinstance(item, Gap) for item in connection.ready[:4]] == [False, False, True, False]


def test_what_no_frame_waits_before_goes_at_once() -> None:
    connection = Connection()
    gap = Gap("s", "missing")
    assert connection.settling.through([gap], OPENED_US, frame=False) == [gap]


def test_nobody_waits_longer_though_nothing_comes() -> None:
    """A playlist brings all it has, and nothing for the length of a segment."""
    connection = Connection(behind_s=6).come(30, 0.001)
    waited_us = OPENED_US + int(1.9 * US)
    assert connection.settling.through([], waited_us, frame=False) == []
    connection.ready += connection.settling.through([], waited_us + US, frame=False)
    assert len(connection.samples) == 30
    assert connection.lags_s[0] == pytest.approx(6.0, abs=0.01)


def test_whoever_stops_gets_the_rest() -> None:
    connection = Connection().come(3, 0.001)
    rest = connection.settling.rest()
    assert len(rest) == 3
    assert all(item.info.event_time_us <= item.info.ingest_time_us for item in rest)
    assert connection.settling.rest() == []


def test_a_clock_that_steps_is_a_gap_though_no_rule_takes_the_frame() -> None:
    connection = Connection(rule="every:50").come(10, 0.1)
    connection.pts += 36_000
    connection.come(1, 0.1)
    assert connection.ready[-1:] == [Gap("s", "clock")]
    connection.come(39, 0.1)
    assert len(connection.samples) == 1
    connection.come(1, 0.1)
    assert (
        connection.samples[1].info.event_time_us - connection.samples[0].info.event_time_us
        == 5 * US
    )
