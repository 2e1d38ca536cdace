"""Boxes lie in the picture, with the area and the aspect that were asked for."""

import math

import pytest
import torch

from operators.pretrain.crop_box import ASPECTS, CropBox, draw_box
from operators.pretrain.dice import Dice


def boxes(size_hw, shares, count=300, seed=0):
    dice = Dice(torch.Generator().manual_seed(seed))
    return [draw_box(size_hw, shares, dice) for _ in range(count)]


@pytest.mark.parametrize("size_hw", [(480, 640), (640, 360), (300, 300)])
@pytest.mark.parametrize("shares", [(0.32, 1.0), (0.05, 0.32)])
def test_boxes_have_the_area_and_the_aspect_asked_for(size_hw, shares):
    height, width = size_hw
    found = boxes(size_hw, shares)
    for box in found:
        assert 0 <= box.top <= height - box.height
        assert 0 <= box.left <= width - box.width
        assert ASPECTS[0] * 0.98 < box.width / box.height < ASPECTS[1] * 1.02
    areas = [box.height * box.width / (height * width) for box in found]
    assert shares[0] * 0.98 < min(areas)
    assert max(areas) < shares[1] * 1.02
    assert max(areas) - min(areas) > 0.6 * (min(shares[1], 0.9) - shares[0])


def test_wide_and_upright_boxes_are_as_probable_as_each_other():
    found = boxes((500, 500), (0.1, 0.3), 2000)
    upright = sum(box.height > box.width for box in found)
    assert 850 < upright < 1150


def test_boxes_lie_everywhere():
    found = boxes((100, 100), (0.05, 0.1), 2000)
    for where in (
        [box.top / (100 - box.height) for box in found],
        [box.left / (100 - box.width) for box in found],
    ):
        assert min(where) == 0
        assert max(where) == 1
        assert math.isclose(sum(where) / len(where), 0.5, abs_tol=0.03)


def test_of_a_strip_the_largest_part_in_its_middle():
    """No box of a third of its area has an aspect that is allowed."""
    assert set(boxes((30, 900), (0.32, 1.0), 20)) == {CropBox(0, 430, 30, 40)}
    assert set(boxes((900, 30), (0.32, 1.0), 20)) == {CropBox(430, 0, 40, 30)}
    assert set(boxes((1, 1), (0.05, 0.05), 20)) == {CropBox(0, 0, 1, 1)}


def test_a_whole_picture_that_does_not_fit_any_aspect_is_taken_whole():
    assert CropBox(0, 0, 90, 100) in boxes((90, 100), (1.0, 1.0), 200)
