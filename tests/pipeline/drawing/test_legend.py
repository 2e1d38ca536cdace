"""Legends: what fits is named, what does not is counted."""

import numpy as np
import pytest

from pipeline.drawing.canvas import Canvas
from pipeline.drawing.legend import amount_bar, named_shares, order_bar, scale_bar, swatches
from pipeline.drawing.palette import NOTHING, amount_colours, depth_colours

ENTRIES = [((200, 10 * number, 0), f"class number {number}") for number in range(20)]


def seen(pixels, rgb):
    return (np.abs(pixels.astype(int) - rgb).max(axis=2) < 3).any()


@pytest.mark.parametrize("lines", [1, 2, 3])
def test_names_that_do_not_fit_are_counted(lines, monkeypatch):
    canvas = Canvas(500, 90)
    said = []
    text = canvas.text
    monkeypatch.setattr(canvas, "text", lambda xy, what, *a, **k: said.append(what) or
                        text(xy, what, *a, **k))  # fmt: skip
    swatches(canvas, (0, 20), ENTRIES, right=500, lines=lines)
    *names, rest = said
    assert rest == f"and {20 - len(names)} more"
    assert len(names) >= 2 * lines
    pixels = np.asarray(canvas.finish(90))
    for number, (rgb, _) in enumerate(ENTRIES):
        assert seen(pixels, rgb) == (number < len(names))


def test_the_rest_has_one_entry():
    shares = {"wall": 0.6, "floor": 0.3, "cup": 0.096, "pen": 0.004}
    colours = {"wall": (1, 2, 3), "floor": (4, 5, 6)}
    assert named_shares(shares, colours) == [
        ((1, 2, 3), "wall 60%"), ((4, 5, 6), "floor 30%"), (NOTHING, "2 others 10%"),
    ]  # fmt: skip
    assert named_shares({"wall": 1.0}, {"wall": (1, 2, 3)}) == [((1, 2, 3), "wall 100%")]


def test_scales_go_from_bright_to_dark():
    canvas = Canvas(500, 90)
    scale_bar(canvas, (20, 10), [0, 2, 4], width=300)
    order_bar(canvas, (20, 50), width=300)
    pixels = np.asarray(canvas.finish(90)).astype(int)
    near, far = depth_colours(np.array([[0.0, 4.0]], np.float32), 0, 4)[0]
    for y in (15, 55):
        assert np.abs(pixels[y, 21] - near).max() < 8
        assert np.abs(pixels[y, 318] - far).max() < 8


def test_amounts_go_from_dark_to_bright():
    canvas = Canvas(500, 90)
    amount_bar(canvas, (20, 10), [0.0, 0.2, 0.4], width=300)
    pixels = np.asarray(canvas.finish(90)).astype(int)
    little, much = amount_colours(np.array([[0.0, 0.4]], np.float32), 0, 0.4)[0].astype(int)
    assert np.abs(pixels[15, 21] - little).max() < 8
    assert np.abs(pixels[15, 318] - much).max() < 8
    assert much.sum() > little.sum() + 200
