"""Things with masks, out of a real run of an EoMT, as whoever reads them gets them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from jsonschema import Draft7Validator

from pipeline import subscribe
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_specs
from pipeline.runtime.inline import InlineRun
from pipeline.schemas.catalogue import schemas

RUN = """
sources: ["synthetic:room?seed=1&seconds=0.4&fps=5&size=80x48"]
model: eomt_small_640
weights: random
short_side: 48
operators: {detect: {masks: true, threshold: 0.0}}
runtime: inline
"""


@pytest.mark.slow
def test_a_whole_model_tells_boxes_and_masks(tmp_path):
    (tmp_path / "run.yaml").write_text(RUN)
    uri = f"sqlite:{tmp_path}/results.db"
    config = resolve(tmp_path / "run.yaml", {"sink": uri})
    InlineRun(config, stream_specs(config, live=False), fresh=False, tell=lambda _: None).run()

    first, second = subscribe(uri, topics=["detections"], follow=False, strict=True)
    assert first.untrained
    assert first.attributes["model"].startswith("eomt_small_640-")
    assert first.label_set == "coco"
    assert 0 < len(first.objects) <= 100
    for found in (*first.objects, *second.objects):
        left, top, right, bottom = found.box
        assert 0 <= left <= right <= 80
        assert 0 <= top <= bottom <= 48
        assert found.mask.shape == (12, 20)
        assert found.mask.any() == (left < right)
        columns = np.flatnonzero(found.mask.any(0))
        if len(columns):  # an edge lies within the cell outside the last one inside
            assert columns[0] * 4 - 2 <= left <= columns[0] * 4 + 2
    where = schemas()["detections.v1"]
    said = {"box": [0, 0, 2, 2], "id": 0, "name": "person", "score": 0.5}
    Draft7Validator(where).validate({"objects": [said]})
    mask = {"size": [1, 2], "counts": [0, 1, 1]}
    Draft7Validator(where).validate({"objects": [said | {"mask": mask}]})
    assert list(
        Draft7Validator(where).iter_errors({"objects": [said | {"mask": json.dumps(mask)}]})
    )
