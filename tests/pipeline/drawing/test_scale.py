"""Numbers of a scale."""

import pytest

from pipeline.drawing.scale import decimals, round_scale


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [
        (1.6, 7.7, [0, 2, 4, 6, 8]),
        (2.0, 7.1, [2, 3, 4, 5, 6, 7, 8]),
        (4.77, 5.18, [4.7, 4.8, 4.9, 5.0, 5.1, 5.2]),
        (0.0, 80.0, [0, 20, 40, 60, 80]),
    ],
)
def test_scales_have_round_numbers_and_enclose_the_values(low, high, marks):
    assert round_scale(low, high) == pytest.approx(marks)


@pytest.mark.parametrize("value", [0.0, 5.0, 0.001, 1.0])
def test_one_value_still_gets_a_scale(value):
    marks = round_scale(value, value)
    assert marks[0] <= value <= marks[-1]
    assert marks[0] < marks[-1]


def test_numbers_of_a_scale_have_as_many_digits_as_tell_them_apart():
    assert [decimals(marks) for marks in ([0, 20], [1, 2], [4.7, 4.8], [0.95, 1.0])] == [0, 0, 1, 2]
