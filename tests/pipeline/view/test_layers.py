"""What maps are laid over a picture, and what their numbers mean."""

from __future__ import annotations

import numpy as np
import pytest

from operators.png import grey16_png
from pipeline.view.layers import ENOUGH, Layers
from pipeline.view.series import Axis

LIVE = Axis("gate", "live")


@pytest.fixture
def layers(shelf, axes):
    return Layers(shelf, axes)


def depth_of(low: int, high: int) -> bytes:
    return grey16_png(np.linspace(low, high, 1000).astype(np.uint16).reshape(20, 50))


def test_a_scale_is_what_most_of_the_known_values_lie_in_and_is_held(book, layers, shelf):
    book.write(*[book.frame(n, value=depth_of(1000, 3000)) for n in range(ENOUGH)])
    low, high = layers.scale(LIVE, "depth")
    assert (low, high) == (pytest.approx(1.1, abs=0.01), pytest.approx(2.9, abs=0.01))
    for n in range(ENOUGH, 200):
        book.write(book.frame(n, value=depth_of(9000, 9900)))
        shelf.take("depth", n + 1, shelf.index.headers(n + 1))
    assert layers.scale(LIVE, "depth") == (low, high)


def test_the_first_frames_of_a_camera_do_not_decide_for_ever(book, layers, shelf):
    book.write(book.frame(0, value=depth_of(1000, 1100)))
    assert layers.scale(LIVE, "depth")[1] < 1.2
    book.write(book.frame(1, value=depth_of(1000, 9000)))
    shelf.take("depth", 2, shelf.index.headers(2))
    assert layers.scale(LIVE, "depth")[1] > 5


def test_what_is_unknown_is_in_no_scale(book, layers):
    nothing = grey16_png(np.zeros((4, 4), np.uint16))
    book.write(book.frame(0, value=nothing), book.frame(1, value=b"no picture at all"))
    assert layers.scale(LIVE, "depth") is None
    (depth,) = layers.of(LIVE)
    assert (depth["low"], depth["high"]) == (None, None)


def test_relative_disparity_has_no_unit(book, layers):
    book.write(book.frame(0, depthkind="relativedisparity", depthcalibrated="false"))
    (depth,) = layers.of(LIVE)
    assert (depth["metric"], depth["unit"], depth["calibrated"]) == (False, None, False)
