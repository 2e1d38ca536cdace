"""Outlines stand where their points are, and what is written about them stays in the picture."""

import numpy as np
import pytest

from pipeline.drawing.canvas import Canvas
from pipeline.drawing.outline import Outline, draw_grid, draw_outline
from pipeline.drawing.palette import WARNING

RED = (200, 0, 0)
BOX = (20, 10, 220, 110)
SQUARE = [(0.25, 0.2), (0.75, 0.2), (0.75, 0.8), (0.25, 0.8)]


def near(pixels, xy, rgb):
    x, y = xy
    patch = pixels[y - 1 : y + 2, x - 1 : x + 2].astype(int)
    return bool((np.abs(patch - rgb).max(axis=2) < 40).any())


def drawn(outline):
    canvas = Canvas(240, 120)
    draw_outline(canvas, BOX, outline, RED)
    return np.asarray(canvas.finish(120))


def test_a_zone_is_closed_and_a_line_is_not():
    zone, line = (drawn(Outline("a", SQUARE, closed=closed)) for closed in (True, False))
    for x, y in [(120, 30), (170, 60), (120, 90)]:
        assert near(zone, (x, y), RED)
        assert near(line, (x, y), RED)
    assert near(zone, (70, 80), RED)
    assert not near(line, (70, 80), RED)


def test_an_alert_gives_it_another_colour():
    assert near(drawn(Outline("a", SQUARE, alarmed=True)), (120, 90), WARNING)


@pytest.mark.parametrize("corner", [(0, 0), (1, 0), (1, 1), (0, 1)])
def test_what_is_written_stays_in_the_picture(corner, monkeypatch):
    canvas, boxes = Canvas(240, 120), []
    rectangle = canvas.rectangle
    monkeypatch.setattr(canvas, "rectangle", lambda box, *a, **k: boxes.append(box) or
                        rectangle(box, *a, **k))  # fmt: skip
    notes = ("in it: somebody with a very long name indeed", "nearest 2.0 m")
    draw_outline(canvas, BOX, Outline("dock", [corner, (0.5, 0.5), (0.4, 0.6)], notes=notes), RED)
    ((left, top, right, bottom),) = boxes
    assert BOX[0] <= left < right <= BOX[2]
    assert BOX[1] <= top < bottom <= BOX[3]


def test_a_grid_says_shares_and_pixels(monkeypatch):
    canvas, said = Canvas(300, 200), []
    monkeypatch.setattr(canvas, "text", lambda xy, text, *a, **k: said.append((xy, text)))
    draw_grid(canvas, (50, 50, 250, 150), (360, 640))
    assert ((250, 42), "1") in said
    assert ((42, 100), "0.5") in said
    assert ((250, 168), "640") in said
    assert ((258, 60), "36") in said
    assert len(said) == 4 * 11
