"""A connection's beginning is kept until its camera tells the time, or is known not to."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from pipeline.decode import dating
from pipeline.decode.collector import Item
from pipeline.decode.dating import FARTHEST_US, LONGEST_US, Dating
from pipeline.decode.track import Sample, Track
from pipeline.media.picture import Picture
from pipeline.media.sender_clock import SenderClock
from pipeline.stream.chunk import Fault, Gap
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec
from pipeline.stream.timeline import Anchor

OPENED_US = 1_700_000_000_000_000
OFF_US = -7_200_000_000
FRAME_US = 100_000


class Sender(SenderClock):
    """Tells what a test sets."""

    def __init__(self, *, reports: bool = True, zero_us: int | None = None) -> None:
        self.kind, self.reports, self.zero_us = "rtsp" if reports else "nut", reports, zero_us


class Connection:
    """Ten pictures a second through a track that goes by arrival, and through `Dating`."""

    def __init__(self, sender: SenderClock | None, rule: str = "all") -> None:
        rules = (Sampling.parse(rule),)
        spec = StreamSpec("s", "x", live=True, samplings=rules, short_side=14)
        anchor = Anchor(OPENED_US, "start-time")
        self.track = Track(spec, Fraction(1, 10), anchor, "session", live=True)
        self.sender = sender
        self.dating = Dating("s", self.track, sender, OPENED_US)
        self.ready: list[Item] = []
        self.number = 0

    def come(self, count: int, *, stamped: bool = True) -> Connection:
        for _ in range(count):
            now_us = OPENED_US + self.number * FRAME_US
            frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
            if stamped:
                frame.pts = self.number
            zero_us = self.sender.zero_us if self.sender else None
            items = self.track.follow(Picture.of(frame, 1), now_us, [], zero_us)
            self.ready += self.dating.through(items, now_us)
            self.number += 1
        return self

    @property
    def samples(self) -> list[Sample]:
        return [item for item in self.ready if isinstance(item, Sample)]

    @property
    def off_us(self) -> set[int]:
        """How far event times are ahead of those by arrival."""
        return {
            sample.info.event_time_us - OPENED_US - number * FRAME_US
            for number, sample in enumerate(self.samples)
        }

    @property
    def clocks(self) -> set[str]:
        return {sample.info.clock for sample in self.samples}

    @property
    def faults(self) -> list[str]:
        return [item.detail for item in self.ready if isinstance(item, Fault)]


def test_frames_before_the_first_report_are_dated_by_it_too() -> None:
    sender = Sender()
    connection = Connection(sender).come(1, stamped=False).come(14)
    assert connection.ready == []
    sender.zero_us = OPENED_US + OFF_US
    connection.come(1)
    assert len(connection.samples) == 16
    connection.come(4)
    assert len(connection.samples) == 20
    assert (connection.off_us, connection.clocks) == ({OFF_US}, {"capture"})
    assert {sample.ahead_us for sample in connection.samples} == {OFF_US}


def test_a_frame_without_a_timestamp_waits_for_no_other_that_is_sampled() -> None:
    """RTSP leaves the first one's out, and the next one that a rule takes may be minutes away."""
    sender = Sender(zero_us=OPENED_US + OFF_US)
    connection = Connection(sender, "every:1000").come(1, stamped=False)
    assert connection.ready == []
    connection.come(1)
    assert (connection.off_us, connection.clocks) == ({OFF_US}, {"capture"})


def test_a_later_report_is_followed_and_a_step_told() -> None:
    sender = Sender(zero_us=OPENED_US + OFF_US)
    connection = Connection(sender).come(5)
    sender.zero_us = OPENED_US + OFF_US + 1_000
    connection.come(5)
    assert connection.off_us == {OFF_US, OFF_US + 1_000}
    sender.zero_us = OPENED_US
    connection.come(5)
    assert connection.off_us == {OFF_US, OFF_US + 1_000}
    assert [item for item in connection.ready if not isinstance(item, Sample)] == [
        Gap("s", "clock")
    ]
    times = [sample.info.event_time_us for sample in connection.samples]
    assert all(later > earlier for earlier, later in pairwise(times))


def test_a_report_is_waited_for_no_longer_than_that() -> None:
    sender = Sender()
    connection = Connection(sender).come(LONGEST_US // FRAME_US)
    assert connection.ready == []
    connection.come(1)
    assert len(connection.samples) == LONGEST_US // FRAME_US + 1
    sender.zero_us = OPENED_US + OFF_US  # too late: a session has one clock
    connection.come(5)
    assert (connection.off_us, connection.clocks) == ({0}, {"start-time"})
    assert connection.faults == ["no RTCP sender report came in 6.0 s; event time goes by arrival"]


def test_nor_is_it_with_more_frames_than_there_is_room_for(monkeypatch) -> None:
    monkeypatch.setattr(dating, "MOST_BYTES", 10 * 14 * 14 * 3)
    connection = Connection(Sender()).come(10)
    assert len(connection.samples) == 10
    assert connection.clocks == {"start-time"}
    assert connection.faults == ["no RTCP sender report came in 0.9 s; event time goes by arrival"]


@pytest.mark.parametrize("off_us", [-FARTHEST_US - 1, FARTHEST_US + 1])
def test_a_clock_that_is_over_a_day_off_is_not_believed(off_us: int) -> None:
    connection = Connection(Sender(zero_us=OPENED_US + off_us)).come(10)
    assert (connection.off_us, connection.clocks) == ({0}, {"start-time"})
    (why,) = connection.faults
    assert why.startswith("the camera's clock says 2023-11-1")
    assert why.endswith("which is over a day off; event time goes by arrival")


@pytest.mark.parametrize("off_us", [-FARTHEST_US, FARTHEST_US])
def test_one_that_is_a_day_off_is(off_us: int) -> None:
    connection = Connection(Sender(zero_us=OPENED_US + off_us)).come(10)
    assert (connection.off_us, connection.clocks, connection.faults) == ({off_us}, {"capture"}, [])


@pytest.mark.parametrize(
    ("sender", "why"),
    [
        (None, "nothing tells the camera's clock here"),
        (Sender(reports=False), "its container (nut) does not tell when it began"),
    ],
)
def test_what_will_never_tell_is_not_waited_for(sender, why: str) -> None:
    connection = Connection(sender).come(1)
    assert len(connection.samples) == 1
    assert connection.faults == [f"{why}; event time goes by arrival"]


def test_whoever_stops_gets_the_rest_as_it_is() -> None:
    connection = Connection(Sender()).come(5)
    last = Gap("s", "size")
    rest = connection.dating.rest([last])
    assert (len(rest), rest[-1]) == (6, last)
    assert connection.dating.rest([]) == []
    assert len(connection.come(1).samples) == 1


def test_what_no_frame_waits_before_goes_at_once() -> None:
    gap = Gap("s", "missing")
    assert Connection(Sender()).dating.through([gap], OPENED_US) == [gap]
