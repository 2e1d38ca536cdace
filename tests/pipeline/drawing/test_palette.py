"""Colours: an order that survives grey, a set that survives few names."""

import numpy as np

from pipeline.drawing.palette import CLASS_COLOURS, NOTHING, class_colours, depth_colours

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def test_nearer_is_brighter_all_along_the_scale():
    ramp = np.linspace(1.0, 9.0, 200, dtype=np.float32)[None, :]
    brightness = depth_colours(ramp, 1.0, 9.0)[0] @ LUMINANCE
    assert np.all(np.diff(brightness) <= 0.5)  # up to the rounding of a colour
    assert brightness[0] - brightness[-1] > 150


def test_depth_beyond_the_scale_takes_its_ends_and_unknown_is_grey():
    depth_m = np.array([[0.5, 1.0, 2.0, 3.0, np.nan]], np.float32)
    colours = depth_colours(depth_m, 1.0, 2.0)[0].tolist()
    assert colours[0] == colours[1] == [253, 231, 37]
    assert colours[2] == colours[3] == [68, 1, 84]
    assert tuple(colours[4]) == NOTHING


def test_the_first_names_get_colours_of_their_own():
    names = [f"class {number}" for number in range(30)]
    colours = class_colours(names)
    assert list(colours) == names[: len(CLASS_COLOURS)]
    assert len(set(colours.values())) == len(CLASS_COLOURS)


def test_a_name_that_both_rows_have_keeps_its_colour():
    truth = class_colours(["wall", "floor", "box"])
    model = class_colours(["sea", "floor", "path", "wall"], truth)
    assert list(model) == ["sea", "floor", "path", "wall"]
    assert (model["wall"], model["floor"]) == (truth["wall"], truth["floor"])
    assert len(set(model.values())) == 4
