"""Boxes that the page draws, of every kind of record that has some."""

import pytest

from pipeline.drawing.palette import CLASS_COLOURS, NOTHING

pytestmark = pytest.mark.slow

SCRIPT = """
  import { BOXES_OF } from "./boxes.js";
  const colours = new Map([[4, [1, 2, 3]]]);
  for (const [layer, data] of given) said.push(BOXES_OF[layer](data, colours, null));
"""


def test_each_layer_reads_its_own_record(javascript):
    box = [8, 8, 40, 32]
    road = {"id": 4, "name": "road", "regions": [{"box": box}]}
    other = {"id": 5, "name": "sky", "regions": [{"box": box}]}
    seen = {"id": 11, "box": box, "label": {"id": 3, "name": "car"}, "state": "seen"}
    given = [
        ("boxes", {"classes": [road, other]}),
        ("detections", {"objects": [{"box": box, "id": 2, "name": "car", "score": 0.876}]}),
        ("tracks", {"tracks": [seen, {**seen, "state": "lost"}]}),
        *((layer, None) for layer in ("boxes", "detections", "tracks")),
    ]
    boxes, detections, tracks, *nothing = javascript(SCRIPT, given)
    assert boxes == [{"box": box, "name": "road", "rgb": [1, 2, 3]}]
    assert detections == [{"box": box, "name": "car 0.88", "rgb": list(CLASS_COLOURS[2])}]
    assert tracks == [
        {"box": box, "name": "11 car", "rgb": list(CLASS_COLOURS[11 % len(CLASS_COLOURS)])},
        {"box": box, "name": "11 car", "rgb": list(NOTHING)},
    ]
    assert nothing == [[], [], []]
