"""Event time never goes back and positions are unique, whatever a container's timestamps do."""

from __future__ import annotations

import json
import random
from fractions import Fraction

import pytest

from pipeline.stream.timeline import Anchor, Stamp, Timeline, anchor

TS = Fraction(1, 90_000)


def stamps(
    pts: list[int | None], time_base: Fraction = TS, anchor_us: int = 0, duration: int | None = None
) -> list[Stamp]:
    timeline = Timeline(time_base, anchor_us)
    return [timeline.stamp(value, duration) for value in pts]


def positions(pts: list[int | None]) -> list[str]:
    return [stamp.position for stamp in stamps(pts)]


def seconds(pts: list[int | None]) -> list[float]:
    return [stamp.event_time_us / 1e6 for stamp in stamps(pts)]


def test_position_is_the_pts_and_event_time_counts_from_the_first() -> None:
    found = stamps([45_000, 48_003, 51_006], anchor_us=1_700_000_000_000_000)
    assert [stamp.position for stamp in found] == ["45000", "48003", "51006"]
    assert [stamp.elapsed for stamp in found] == [0, 3003, 6006]
    assert [s.event_time_us - 1_700_000_000_000_000 for s in found] == [0, 33_366, 66_733]


def test_reordered_pts_keep_their_positions_and_hold_time() -> None:
    """As B-frame AVIs come out of the decoder."""
    found = stamps([1, 4, 3, 6, 5, 8], Fraction(1, 30))
    assert [stamp.position for stamp in found] == ["1", "4", "3", "6", "5", "8"]
    assert [stamp.elapsed for stamp in found] == [0, 3, 3, 5, 5, 7]


def test_repeated_pts_are_numbered() -> None:
    assert positions([0, 3000, 3000, 3000, 6000, 3000]) == [
        "0", "3000", "3000+1", "3000+2", "6000", "6000+1",
    ]  # fmt: skip


def test_missing_pts_are_numbered_and_time_goes_on_by_their_duration() -> None:
    found = stamps([0, None, None, 9000], duration=3000)
    assert [stamp.position for stamp in found] == ["0", "0+1", "0+2", "9000"]
    assert [stamp.elapsed for stamp in found] == [0, 3000, 6000, 9000]


def test_without_a_duration_missing_pts_step_as_before() -> None:
    assert [stamp.elapsed for stamp in stamps([0, 3000, None, None, 12_000])] == [
        0, 3000, 6000, 9000, 12_000,
    ]  # fmt: skip


def test_no_pts_at_all() -> None:
    found = stamps([None] * 4, duration=3000)
    assert [stamp.position for stamp in found] == ["+1", "+2", "+3", "+4"]
    assert [stamp.elapsed for stamp in found] == [0, 3000, 6000, 9000]


def test_first_pts_missing() -> None:
    """As RTSP begins."""
    found = stamps([None, 3003, 6006], duration=3003)
    assert [stamp.position for stamp in found] == ["+1", "3003", "6006"]
    assert [stamp.elapsed for stamp in found] == [0, 3003, 6006]


@pytest.mark.parametrize("bits", [32, 33])
def test_the_counter_wraps(bits: int) -> None:
    modulus = 2**bits
    start = modulus - 9000
    found = stamps([(start + k * 3000) % modulus for k in range(6)])
    assert [int(stamp.position) for stamp in found] == [start + k * 3000 for k in range(6)]
    assert [stamp.elapsed for stamp in found] == [k * 3000 for k in range(6)]


def test_reordering_over_the_wrap() -> None:
    modulus = 2**33
    raw = [modulus - 6000, 3000, modulus - 3000, 0, 9000, 6000]
    found = stamps(raw)  # type: ignore[arg-type]
    assert [int(stamp.position) - modulus for stamp in found] == [-6000, 3000, -3000, 0, 9000, 6000]
    assert [stamp.elapsed for stamp in found] == [0, 9000, 9000, 9000, 15_000, 15_000]


def test_a_wrap_and_a_wrap_again() -> None:
    modulus = 2**33
    hours = [90_000 * 3600 * h for h in range(0, 60, 1)]
    timeline = Timeline(TS, 0)
    found = []
    for first in hours:
        for step in range(0, 3600, 50):  # one frame every 50 s for 60 hours
            found.append(timeline.stamp((first + step * 90_000) % modulus))
    assert [stamp.elapsed for stamp in found] == [k * 50 * 90_000 for k in range(len(found))]
    assert len({stamp.position for stamp in found}) == len(found)


def test_a_jump_back_goes_on_where_time_stood() -> None:
    """Files pasted together: the second begins at 0 again."""
    raw: list[int | None] = [*range(0, 900_000, 3000), *range(0, 900_000, 3000)]
    found = stamps(raw)
    assert [stamp.elapsed for stamp in found] == [k * 3000 for k in range(600)]
    assert len({stamp.position for stamp in found}) == 600


def test_a_jump_ahead_is_kept() -> None:
    assert seconds([0, 90_000, 90_000 * 3600]) == [0, 1, 3600]


def test_slow_footage_may_reorder_by_seconds() -> None:
    found = stamps([1, 4, 3, 6, 5], Fraction(2, 1))
    assert [stamp.position for stamp in found] == ["1", "4", "3", "6", "5"]


def test_nanoseconds_do_not_look_like_wraps() -> None:
    step = 40_000_000
    raw: list[int | None] = [k * step for k in range(5)] + [5 * step + 9_000_000_000]
    found = stamps(raw, Fraction(1, 1_000_000_000))
    assert [int(stamp.position) for stamp in found] == raw


def test_negative_pts() -> None:
    found = stamps([-512, 0, 512], Fraction(1, 12_800))
    assert [stamp.position for stamp in found] == ["-512", "0", "512"]
    assert [stamp.elapsed for stamp in found] == [0, 512, 1024]


def test_a_spliced_file_goes_on() -> None:
    timeline = Timeline(TS, 0)
    first = [timeline.stamp(pts) for pts in (0, 3000, 6000)]
    timeline.splice()
    second = [timeline.stamp(pts) for pts in (0, 3000, 1500)]
    assert [stamp.elapsed for stamp in (*first, *second)] == [0, 3000, 6000, 9000, 12_000, 12_000]
    assert [stamp.position for stamp in second] == ["9000", "12000", "10500"]


def wild(rng: random.Random, frames: int) -> list[int | None]:
    """Timestamps that do everything at once."""
    clock = rng.randrange(2**33)
    found: list[int | None] = []
    while len(found) < frames:
        kind = rng.random()
        if kind < 0.05:
            found.append(None)
        elif kind < 0.1:
            found.append(clock)
        elif kind < 0.12:
            clock = rng.randrange(2**33)
        elif kind < 0.3:
            found.append(max(0, clock - rng.randrange(20_000)))
        else:
            clock = (clock + rng.choice([1, 1500, 3003, 9000])) % 2**33
            found.append(clock)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60))
def test_whatever_comes_time_never_goes_back_and_positions_are_unique(seed: int) -> None:
    found = stamps(wild(random.Random(seed), 700), duration=3003)
    times = [stamp.event_time_us for stamp in found]
    assert times == sorted(times)
    assert len({stamp.position for stamp in found}) == len(found)


@pytest.mark.parametrize("seed", range(20))
def test_a_restored_timeline_goes_on(seed: int) -> None:
    rng = random.Random(seed)
    raw = wild(rng, 200)
    expected = stamps(raw, duration=3003)
    cut = rng.randrange(1, 200)
    first, second = Timeline(TS, 0), Timeline(TS, 0)
    for pts in raw[:cut]:
        first.stamp(pts, 3003)
    second.restore(json.loads(json.dumps(first.snapshot())))
    assert [second.stamp(pts, 3003) for pts in raw[cut:]] == expected[cut:]


@pytest.mark.slow
def test_a_cursor_stays_small() -> None:
    timeline = Timeline(TS, 0)
    for k in range(100_000):
        timeline.stamp(k * 3003)
    assert len(json.dumps(timeline.snapshot())) < 2000


def test_anchors() -> None:
    assert anchor(5, 7) == Anchor(5, "start-time")
    assert anchor(0, 7) == Anchor(0, "start-time")
    assert anchor(None, 7) == Anchor(7, "container")
    assert anchor(None, None) == Anchor(0, "media")
