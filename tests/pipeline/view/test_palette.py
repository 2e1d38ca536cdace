"""The page's colours are those of our pictures, number for number."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from pipeline.drawing import palette

TEXT = (Path(__file__).parents[3] / "pipeline/view/static/palette.js").read_text()


def numbers(constant):
    """The array that the page's module gives a name to."""
    (found,) = re.findall(rf"^export const {constant} = (\[.*?\]);", TEXT, re.MULTILINE | re.DOTALL)
    return json.loads(re.sub(r",\s*\]", "]", found))


def test_the_tables_are_the_same():
    assert tuple(numbers("NOTHING")) == palette.NOTHING
    assert [tuple(rgb) for rgb in numbers("CLASS_COLOURS")] == list(palette.CLASS_COLOURS)
    ends = palette.depth_colours(np.linspace(8, 0, 9, dtype=np.float32)[None], 0.0, 8.0)
    assert numbers("VIRIDIS") == ends[0].tolist()


@pytest.mark.slow
@pytest.mark.parametrize(("low", "high"), [(2.1, 37.0), (0.25, 3.5)])
def test_every_depth_has_the_colour_of_our_pictures(javascript, low, high):
    depth_m = np.linspace(0, high * 1.2, 4001, dtype=np.float32)
    script = """
      import { nearness, viridis } from "./palette.js";
      const { values, low, high } = given;
      for (const metric of [true, false])
        said.push(values.map((value) => viridis(nearness(value, metric, low, high))));
    """
    metric, relative = javascript(
        script, {"values": depth_m.astype(float).tolist(), "low": low, "high": high}
    )
    assert metric == palette.depth_colours(depth_m[None], low, high)[0].tolist()
    # Relative depth is larger where it is nearer: there the ends of the scale change places.
    assert relative == palette.depth_colours(depth_m[None], high, low)[0].tolist()


@pytest.mark.slow
def test_classes_get_and_keep_the_colours_of_our_pictures(javascript):
    rows = [["wall", "floor", "box"], ["sea", "floor", "path", "wall"], [*"abcdefghijkl", "sea"]]
    script = """
      import { classColours } from "./palette.js";
      let kept = new Map();
      for (const names of given) {
        kept = classColours(names, kept);
        said.push([...kept]);
      }
    """
    kept, expected = {}, []
    for names in rows:
        kept = palette.class_colours(names, kept)
        expected.append([[name, list(rgb)] for name, rgb in kept.items()])
    assert javascript(script, rows) == expected
