"""Stays: hysteresis, least times, peaks, and that a state goes on where it was put away."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from operators.zones.stay import Change, Instant, Patience, Reading, Stay, step

ENTER, LEAVE = 0.5, 0.3
NOT_AT_ONCE = Patience(enter_s=0.4, leave_s=0.4, dwell_s=1.0)


def frame(number: int) -> Instant:
    return Instant(str(number), number * 200_000)


def told(
    shares: Sequence[float], patience: Patience = NOT_AT_ONCE, *, put_away: bool = False
) -> list[tuple[int, str, Stay]]:
    """(frame, change, stay) of shares at 5 frames per second."""
    stay, found = None, []
    for number, share in enumerate(shares):
        reading = Reading(share, share >= ENTER, share >= LEAVE, nearest_m=10 - share)
        stay, changes = step(stay, frame(number), reading, patience)
        found += [(number, change.value, stay) for change in changes if stay]
        stay = None if Change.ENDED in changes else stay
        if put_away and stay:
            stay = Stay.from_json(json.loads(json.dumps(stay.to_json())))
    return found


def kinds(shares: Sequence[float], patience: Patience = NOT_AT_ONCE) -> list[tuple[int, str]]:
    return [(number, kind) for number, kind, _ in told(shares, patience)]


def test_it_begins_dwells_and_ends_when_each_has_lasted():
    shares = [0, 0.6, 0.6, 0.6, 0.9, 0.4, 0.6, 0.2, 0.2, 0.2, 0]
    assert kinds(shares) == [(3, "begun"), (6, "dwelt"), (9, "ended")]
    (*_, (_, _, stay)) = told(shares)
    assert (stay.start, stay.last) == (frame(1), frame(6))
    assert (stay.peak, stay.peak_at, stay.nearest_m) == (0.9, frame(4), pytest.approx(9.1))


@pytest.mark.parametrize(
    ("shares", "changes"),
    [
        ([0.4, 0.4, 0.4, 0.4], []),  # never enough to begin
        ([0.6, 0.6, 0.2, 0.6, 0.6, 0.2], []),  # never for long enough
        ([0.6, 0.4, 0.4], [(2, "begun")]),  # once it is there, less is enough
        ([0.6, 0.6, 0.6, 0.2, 0.2, 0.4, 0.2, 0.2], [(2, "begun"), (5, "dwelt")]),  # short gaps
        ([0.6] * 3 + [0.2] * 3 + [0.4] * 5, [(2, "begun"), (5, "ended")]),  # no new one at 0.4
    ],
)
def test_hysteresis_and_least_times(shares, changes):
    assert kinds(shares) == changes


def test_without_patience_everything_is_told_at_once():
    at_once = Patience(0, 0, 0)
    assert kinds([0.6, 0, 0.6], at_once) == [
        *((0, "begun"), (0, "dwelt"), (1, "ended")),
        *((2, "begun"), (2, "dwelt")),
    ]
    assert kinds([0.6] * 9, Patience(0, 0)) == [(0, "begun")]


def test_times_are_event_times_whatever_the_sampling():
    stay, numbers = None, []
    for number in range(0, 40, 4):  # 1.25 frames per second
        reading = Reading(1, begins=True, lasts=True)
        stay, changes = step(stay, frame(number), reading, Patience(1.0, 1.0, 4.0))
        numbers += [number for _ in changes]
    assert numbers == [8, 20]


def test_what_was_put_away_goes_on_as_if_it_had_not_been():
    shares = [0, 0.6, 0.6, 0.6, 0.9, 0.2, 0.4, 0.2, 0.2, 0.2, 0, 0.7, 0.8, 0.7]
    assert told(shares, put_away=True) == told(shares)
