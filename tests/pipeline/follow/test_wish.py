"""Which frames are looked at, which is the marked one, and in which order the others come."""

from __future__ import annotations

import numpy as np
import pytest

from operators.errors import UsageError
from pipeline.follow.asked import asked
from pipeline.follow.wish import Wish

THINGS = asked([("cup", (1, 1))], [], [])
TIMES_S = np.array([0.0, 0.2, 0.4, 0.6, 0.8])


def wish(at_s, **more):
    return Wish("a.mp4", THINGS, at_s, 5.0, **more)


def test_forwards_only_the_frames_from_the_marked_one_on_are_looked_at():
    own = wish(2.0)
    assert (own.clip.start_s, own.clip.end_s, own.clip.patches) == (1.9, None, True)
    assert own.order(0, 5) == (range(1, 5), range(0, 0))
    assert list(own.order(1, 5)[1]) == []


def test_backwards_the_others_come_in_turn_towards_the_beginning():
    own = wish(0.5, from_s=0.0, to_s=0.8)
    assert (own.clip.start_s, own.clip.end_s) == (0.0, 0.8)
    assert own.start(TIMES_S) == 2
    behind, before = own.order(2, 5)
    assert (list(behind), list(before)) == ([3, 4], [1, 0])


@pytest.mark.parametrize(
    ("at_s", "more", "why"),
    [
        (1.0, {"from_s": 2.0}, "--from 2 is behind --at 1"),
        (1.0, {"to_s": 0.5}, "--to 0.5 is before --at 1"),
    ],
)
def test_spans_the_wrong_way_round_are_refused(at_s, more, why):
    with pytest.raises(UsageError, match=why):
        wish(at_s, **more)


def test_a_time_without_a_frame_near_is_refused():
    with pytest.raises(UsageError, match=r"no frame near 1.5 s; the nearest .* at 0.80 s"):
        wish(1.5).start(TIMES_S)
