"""A stream's specification goes to its decoder as JSON and arrives as it was."""

import json

from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec


def test_a_specification_goes_through_json():
    rules = (Sampling("fps", 2.5), Sampling("keyframes"))
    for more in ({}, {"span_s": (0.5, 2.0), "join": ("b.mp4",)}):
        spec = StreamSpec("a", "a.mp4", session="s", samplings=rules, **more)
        assert StreamSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
