"""How long frames take, in classes and stage by stage."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from operators.frames import FrameInfo
from pipeline.engine.latency import FrameTimes, Latency, Spent
from pipeline.stream.chunk import Frames


def run(count: int) -> Frames:
    infos = tuple(
        FrameInfo("a", "s", str(i), i, Fraction(1), 1_000_000 * i, 1_000_000 * i + 250_000, (9, 9))
        for i in range(count)
    )
    pixels = np.zeros((count, 14, 14, 3), np.uint8)
    return Frames(infos, pixels, (1,) * count, {}, arrived_s=tuple(map(float, range(count))))


def test_a_frame_is_followed_from_its_capture_to_the_sink() -> None:
    times, frames = FrameTimes(), run(3)
    times.release(frames, 0, 2)
    times.compute(5.0, 6.0)
    times.release(frames, 2, 1)
    times.compute(7.0, 7.5)
    times.send()
    assert times.confirm(10.0) == [
        Spent(0.25, 5.0, 1.0, 4.0),
        Spent(0.25, 4.0, 1.0, 4.0),
        Spent(0.25, 5.0, 0.5, 2.5),
    ]
    assert times.newest_us == 2_250_000
    assert times.confirm(11.0) == []


def test_frames_of_recordings_and_of_a_decoder_ahead_of_its_clock_take_no_time_to_decode() -> None:
    times, frames = FrameTimes(), run(1)
    early = FrameInfo("a", "s", "0", 0, Fraction(1), 9_000_000, 1_000_000, (9, 9))
    times.release(Frames((early,), frames.pixels, (1,), {}, arrived_s=(1.0,)), 0, 1)
    times.compute(1.0, 1.0)
    times.send()
    assert times.confirm(1.0) == [Spent(0.0, 0.0, 0.0, 0.0)]
    times.release(Frames((early,), frames.pixels, (1,), {}), 0, 1)
    times.compute(1.0, 1.0)
    times.send()
    assert times.confirm(1.0) == []


@pytest.mark.parametrize("off_us", [-7_200_000_000, 7_200_000_000])
def test_a_cameras_clock_that_is_hours_off_makes_no_frame_older(off_us: int) -> None:
    by_arrival = run(2)
    infos = [replace(i, event_time_us=i.event_time_us + off_us) for i in by_arrival.infos]
    times = FrameTimes()
    times.release(replace(by_arrival, infos=tuple(infos), ahead_us=off_us), 0, 2)
    times.compute(5.0, 6.0)
    times.send()
    assert times.confirm(7.0) == [Spent(0.25, 5.0, 1.0, 1.0), Spent(0.25, 4.0, 1.0, 1.0)]


def test_a_copy_stays_as_it_is() -> None:
    latency = Latency()
    latency.add(Spent(0.1, 0.2, 0.3, 0.4))
    copy = latency.copy()
    latency.add(Spent(1.0, 1.0, 1.0, 1.0))
    assert (sum(copy.total.counts), copy.total.sum_s) == (1, pytest.approx(1.0))
    assert copy.stages["commit"].sum_s == pytest.approx(0.4)
