"""What is pointed at: refused where it says nothing, or something else than it means."""

import pytest

from operators.errors import UsageError
from operators.outside.prompt import Prompt


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "nothing to segment: give --point"),
        ({"against": ((3, 3),)}, "alone says too little"),
        ({"box": (30, 4, 3, 40)}, "--box 30,4,3,40 is upside down or without area"),
        ({"box": (3, 4, 30, 4)}, "--box 3,4,30,4 is upside down or without area"),
    ],
)
def test_what_is_no_prompt(given, why):
    with pytest.raises(UsageError, match=why):
        Prompt(**given)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"points": ((3, 40),)}, "--point 3,40 lies outside of the picture, which is 60x40"),
        ({"points": ((3, 3),), "against": ((-1, 3),)}, "--point -1,3 lies outside"),
        ({"box": (3, 4, 60.5, 40)}, "--box 3,4,60.5,40 reaches out of the picture"),
    ],
)
def test_what_lies_outside(given, why):
    with pytest.raises(UsageError, match=why):
        Prompt(**given).check((40, 60))


def test_what_reaches_its_edges_does_not():
    Prompt(((0, 0), (59.9, 39.9)), box=(0, 0, 60, 40)).check((40, 60))


def test_one_click_alone_is_ambiguous():
    assert Prompt(((3, 3),)).ambiguous
    assert not Prompt(((3, 3), (4, 4))).ambiguous
    assert not Prompt(((3, 3),), ((9, 9),)).ambiguous
    assert not Prompt(((3, 3),), box=(0, 0, 9, 9)).ambiguous
