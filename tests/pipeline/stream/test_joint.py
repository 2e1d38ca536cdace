"""What is borne between two files, and what is not."""

from __future__ import annotations

import pytest

from pipeline.stream.joint import Joint

S = 1_000_000
NAMED = 1000 * S


@pytest.mark.parametrize(
    ("late_s", "hole", "overlap"),
    [
        (0, False, False),
        (2, False, False),
        (2.1, True, False),
        (-2, False, False),
        (-2.1, False, True),
    ],
)
def test_by_name_and_length(late_s: float, hole: bool, overlap: bool) -> None:
    ended = NAMED - round(late_s * S)
    joint = Joint(ended, NAMED, ended, S)
    assert (joint.is_hole, joint.is_overlap) == (hole, overlap)


@pytest.mark.parametrize(
    ("reached_s", "at_s"), [(0, 0), (-1.5, -1.5), (-5, -2), (1.5, 1.5), (3, 2)]
)
def test_time_goes_on_as_far_as_the_name_allows(reached_s: float, at_s: float) -> None:
    joint = Joint(NAMED, NAMED, NAMED + round(reached_s * S), S)
    assert joint.at_us == NAMED + round(at_s * S)


def test_behind_a_hole_it_is_the_names() -> None:
    assert Joint(NAMED - 9 * S, NAMED, NAMED - 8 * S, 60 * S).at_us == NAMED


def test_overlaps_that_add_up_are_one() -> None:
    assert not Joint(NAMED + S, NAMED, NAMED + 3 * S, S).is_overlap
    assert Joint(NAMED + S, NAMED, NAMED + 4 * S, S).is_overlap


def test_names_with_fractions_are_believed_more_and_those_of_minutes_less() -> None:
    assert not Joint(NAMED - S, NAMED, NAMED - S, 0).is_hole
    assert Joint(NAMED - S - 1, NAMED, NAMED - S, 0).is_hole
    assert Joint(NAMED - 3 * S, NAMED, NAMED - 3 * S, 60 * S).is_hole
    assert not Joint(NAMED + 61 * S, NAMED, NAMED + 61 * S, 60 * S).is_overlap
