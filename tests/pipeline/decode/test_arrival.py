"""A first frame is as old as those behind it show, whoever kept them."""

from __future__ import annotations

import random

import pytest

from pipeline.decode.arrival import LONGEST_US, Arrival
from pipeline.stream.slow_clock import MARGIN_S

MS = 1000
MARGIN = int(MARGIN_S * 1000)


def settled(comes: list[tuple[int, int]]) -> tuple[int, int | None]:
    """Frames it took, and the anchor; each frame is (media, local), milliseconds."""
    arrival = Arrival()
    count = 0
    for media, local in comes:
        count += 1
        if arrival.see(media * MS, local * MS):
            break
    return count, None if arrival.anchor_us is None else arrival.anchor_us // MS + MARGIN


def test_frames_that_come_as_they_are_taken() -> None:
    assert settled([(0, 5000), (100, 5100), (200, 5200), (300, 5300)]) == (3, 5000)


def test_what_waited_while_the_source_was_opened_is_older_than_it_looks() -> None:
    """18 frames of 100 ms at once, then in time."""
    comes = [(100 * k, 5000 + k) for k in range(18)]
    comes += [(100 * k, 5017 + 100 * (k - 17)) for k in range(18, 24)]
    assert settled(comes) == (20, 5017 - 1700)


def test_bursts_end_the_wait_in_time() -> None:
    """Fragments of half a second: never two frames in a row in time."""
    comes = [(100 * k, 5000 + 500 * (k // 5)) for k in range(60)]
    count, anchor = settled(comes)
    assert anchor == 5000 - 400
    assert comes[count - 1][1] - 5000 <= LONGEST_US // MS


def test_a_camera_that_says_nothing_more_has_no_other_anchor() -> None:
    arrival = Arrival()
    assert arrival.anchor_us is None
    assert not arrival.see(0, 77)
    assert arrival.anchor_us == 77 - MARGIN * MS


@pytest.mark.parametrize("seed", range(20))
def test_no_frame_so_far_came_before_it_was_taken(seed: int) -> None:
    rng = random.Random(seed)
    arrival, media, local, seen = Arrival(), 0, 10**9, []
    for _ in range(200):
        media += rng.choice([33, 40, 40, 500]) * MS
        local += rng.choice([0, 1, 40, 900]) * MS
        arrival.see(media, local)
        seen.append((media, local))
    anchor = arrival.anchor_us
    assert anchor is not None
    assert min(came - anchor - taken for taken, came in seen) == MARGIN * MS
