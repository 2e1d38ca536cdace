"""The picture shows both curves where they are, and the threshold."""

import numpy as np

from pipeline.dedupe.calibration import Calibration
from pipeline.dedupe.curve_picture import BOX, HEIGHT, WIDTH, curve_picture
from pipeline.dedupe.measuring import chosen, curve, reached
from pipeline.drawing.palette import ACCENT


def test_curves_lie_where_their_numbers_are():
    points = curve(np.array([0.9, 0.8, 0.7, 0.2]), reached(np.array([0.5, 0.1, -0.3, -0.5])))
    point = chosen(points, 0.99)
    found = Calibration("m-0", 28, "raw", 0.99, point, {}, {}, tuple(points))
    picture = np.asarray(curve_picture(found)).astype(int)
    assert picture.shape == (HEIGHT, WIDTH, 3)
    left, top, right, bottom = BOX

    def near(colour, cosine, share):
        x = round(left + (cosine + 1) / 2 * (right - left))
        y = round(bottom - share * (bottom - top))
        around = picture[y - 3 : y + 4, x - 3 : x + 4]
        return (np.abs(around - colour).max(axis=2) < 40).any()

    assert near(ACCENT, -0.9, 0.5), "half of all pairs are copies"
    assert near((220, 110, 20), -0.9, 1.0)
    assert near((220, 110, 20), 0.6, 0.75)
    assert near(ACCENT, 0.6, 1.0)
    assert not near(ACCENT, -0.9, 0.8)
