"""The sheet: what letters can be drawn, how lines are cut, where things land."""

import numpy as np
from PIL import Image, ImageFont

from pipeline.drawing.canvas import Canvas, drawable, shortened, text_width


def test_letters_that_the_font_lacks_become_readable_ones():
    assert drawable("Küche 1 · 5°") == "Kuche 1 · 5°"
    assert drawable("映画.mp4") == "??.mp4"


def test_every_letter_is_drawn_and_none_as_a_box():
    missing = glyph("\u4e00")
    assert all(glyph(letter) != missing for letter in "Az09%,·…°()<")


def test_long_names_are_cut():
    assert shortened("room.mp4", 30, 800) == "room.mp4"
    cut = shortened("a-very-long-name-" * 20, 30, 800)
    assert cut.endswith("…")
    assert text_width(cut, 30) <= 800


def test_boxes_and_images_land_on_their_pixels():
    canvas = Canvas(40, 30)
    canvas.rectangle((4, 5, 10, 9), (255, 0, 0))
    canvas.paste(Image.new("RGB", (3, 3), (0, 0, 255)), (20, 10, 30, 16))
    pixels = np.asarray(canvas.finish(24))
    assert pixels.shape == (24, 40, 3)
    red = np.argwhere((pixels == (255, 0, 0)).all(axis=2))
    blue = np.argwhere((pixels == (0, 0, 255)).all(axis=2))
    assert (red.min(0).tolist(), red.max(0).tolist()) == ([5, 4], [8, 9])
    assert (blue.min(0).tolist(), blue.max(0).tolist()) == ([10, 20], [15, 29])


def glyph(letter: str) -> bytes:
    return bytes(ImageFont.load_default(20).getmask(letter))
