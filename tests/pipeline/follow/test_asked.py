"""Clicks and boxes in pixels become marks on patches, or an error that says what is wrong."""

from __future__ import annotations

import pytest

from operators.errors import UsageError
from operators.follow.seed import Marks
from pipeline.follow.asked import Thing, asked

HW, GRID = (90, 160), (9, 16)


def test_things_are_in_the_order_of_their_names_and_keep_all_their_clicks():
    things = asked(
        [("cup", (10, 20)), ("hand", (100, 50)), ("cup", (19.9, 29.9))],
        [("hand", (90, 40, 120, 60))],
        [(159, 89)],
    )
    assert things.things == (
        Thing("cup", ((10, 20), (19.9, 29.9))),
        Thing("hand", ((100, 50),), (90, 40, 120, 60)),
    )
    assert [label.name for label in things.labels.labels] == ["background", "cup", "hand"]
    assert things.marks(HW, GRID) == (
        [
            Marks(((2, 1), (2, 1))),
            Marks(((5, 10),), (90 / 160, 40 / 90, 120 / 160, 60 / 90)),
        ],
        [(8, 15)],
    )


@pytest.mark.parametrize(
    ("points", "boxes", "why"),
    [
        ([], [], r"nothing to follow: give --point \[NAME:\]X,Y or --box"),
        ([("background", (1, 1))], [], "cannot be called 'background'"),
        ([("", (1, 1))], [], "--not is for that"),
        ([], [("cup", (0, 0, 1, 1)), ("cup", (0, 0, 2, 2))], "a thing has one --box"),
        ([(str(number), (1, 1)) for number in range(101)], [], "101 things at once; 100 are"),
    ],
)
def test_what_cannot_be_followed_is_refused(points, boxes, why):
    with pytest.raises(UsageError, match=why):
        asked(points, boxes, [])


@pytest.mark.parametrize(
    ("points", "boxes", "against", "why"),
    [
        ([("cup", (160, 5))], [], [], "160,5 lies outside of the picture, which is 160x90"),
        ([("cup", (5, 5))], [], [(5, -1)], "5,-1 lies outside"),
        ([("cup", (5, 5)), ("hand", (6, 6))], [], [], "6,6 for hand is in the same patch as one"),
        ([("cup", (5, 5))], [], [(6, 6)], "6,6 for background is in the same patch"),
        ([], [("cup", (5, 5, 5, 9))], [], "the box 5,5,5,9 is none within the picture"),
        ([], [("cup", (5, 5, 200, 9))], [], "give left, top, right, bottom"),
    ],
)
def test_marks_outside_of_the_picture_or_at_odds_are_refused(points, boxes, against, why):
    with pytest.raises(UsageError, match=why):
        asked(points, boxes, against).marks(HW, GRID)
