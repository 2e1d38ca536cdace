"""Every condition at every size, and how conditions are named."""

from __future__ import annotations

import numpy as np
import pytest

from operators.conditions.condition import KINDS, Condition, conditions_named
from operators.errors import UsageError

SIZES_HW = [(14, 14), (37, 91), (112, 28)]


def depth_of(size_hw):
    """5 m at the top to 80 m at the bottom; a corner is the sky, another one unknown."""
    depth_m = np.tile(np.linspace(5, 80, size_hw[0], dtype=np.float32)[:, None], (1, size_hw[1]))
    depth_m[:3, :3], depth_m[-3:, -3:] = np.inf, 0
    return depth_m


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("size_hw", SIZES_HW)
def test_no_strength_is_no_change_and_more_is_farther_away(name, size_hw, picture, drawn):
    before, depth_m = picture(size_hw), depth_of(size_hw)

    def away(strength):
        after = Condition(name, strength).applied(before, drawn(), depth_m=depth_m)
        assert after.shape == before.shape
        assert after.dtype == np.uint8
        return np.abs(after.astype(float) - before).mean()

    assert away(0) == 0
    steps = [away(strength) for strength in (0.25, 1, 3)]
    assert 0 < steps[0] < steps[1] < steps[2]


@pytest.mark.parametrize("name", KINDS)
def test_the_same_draw_gives_the_same_pixels(name, picture, drawn):
    before, depth_m = picture((37, 91)), depth_of((37, 91))
    first, again, other = (
        Condition(name, 2).applied(before, draw, depth_m=depth_m)
        for draw in (drawn(), drawn(), drawn(1))
    )
    assert np.array_equal(first, again)
    random = name not in ("fog", "defocus")
    assert np.array_equal(first, other) != random


@pytest.mark.parametrize("name", KINDS)
def test_a_picture_of_which_no_depth_is_known_is_one_without_depth(name, picture, drawn):
    before = picture((28, 42))
    unknown = np.zeros((28, 42), np.float32)
    told, untold = (
        Condition(name).applied(before, drawn(), depth_m=depth_m) for depth_m in (unknown, None)
    )
    assert np.array_equal(told, untold)
    assert np.array_equal(untold, before) == (name == "fog")


def test_conditions_are_named_with_their_strengths_and_each_once():
    assert [str(one) for one in conditions_named(["fog:0.5", "night:1", "night"])] == [
        "fog:0.5",
        "night",
    ]
    assert {one.name for one in conditions_named(["rain", "all"])} == set(KINDS)
    assert {one.strength for one in conditions_named(["all:2"])} == {2.0}
    assert conditions_named([]) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("snow", "no condition 'snow'; there are night, low-light, rain, fog"),
        ("", "no condition ''"),
        ("fog:", "from 0 (nothing) over 1 (usual) to 3, got ''"),
        ("fog:dense", "got 'dense'"),
        ("fog:3.1", "fog:3.1: a strength is a number from 0"),
        ("fog:-1", "got '-1'"),
        ("all:nan", "got 'nan'"),
    ],
)
def test_what_is_no_condition_is_refused(text, said):
    with pytest.raises(UsageError) as refused:
        conditions_named([text])
    assert said in str(refused.value)
