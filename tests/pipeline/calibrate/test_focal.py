"""A focal length becomes a calibration, of the one head whose depth it says something of."""

from __future__ import annotations

import numpy as np
import pytest

from operators.depth.calibration import RELATIVE, View
from operators.depth.depth_anything_3 import DISPARITY
from operators.errors import UsageError
from operators.png import grey16_png
from operators.result import JSON, PNG, Result
from pipeline.calibrate import focal
from pipeline.calibrate.focal import calibrate_by_focal
from pipeline.calibrate.store import read_calibrations, write_calibration
from pipeline.records.message import Publisher

MAP_HW, PATCHES = (80, 144), (20, 36)  # 4 cells a patch
RELATIVE_KIND = {
    "depthkind": "relativedisparity",
    "depthcalibrated": "false",
    "depthscale": "0.0009765625",
}


@pytest.fixture
def published(build, monkeypatch):
    """`published(depthhead="da3metric")`: what the sink's newest depth record says."""

    def made(**attributes):
        info = build.info(1, source_hw=(360, 640))
        png = grey16_png(np.ones(MAP_HW, np.uint16))
        result = Result(info, "depth", PNG, png, RELATIVE_KIND | attributes)
        publisher = Publisher("cam1", "feedfacecafe", build.model)
        message = publisher.record(result, build.variant, build.operator())
        monkeypatch.setattr(focal, "newest_record", lambda *_: message)
        return message

    return made


def test_metres_are_those_of_the_picture_that_the_model_sees(published, described, build, tmp_path):
    described(published(depthhead="da3metric"))
    across, down = 520.0, 500.0

    stored = calibrate_by_focal("sqlite:r.db", "cam1", (across, down), time_s=None).stored

    output = np.array([0.4, 3.0, 70.0])
    width_px = PATCHES[1] * 14
    seen_px = (across * width_px / 640 + down * PATCHES[0] * 14 / 360) / 2
    disparity = DISPARITY * 300 / (width_px * output)
    np.testing.assert_allclose(stored.calibration.metres(disparity), seen_px * output / 300, 1e-6)
    assert not stored.calibration.metres(np.array([-1.0])).any(), "unknown stays unknown"
    assert (stored.calibration.kind, stored.domain) == (RELATIVE, "da3metric")
    assert stored.calibration.view == View((360, 640), None, MAP_HW)
    assert stored.model == build.model
    write_calibration(tmp_path / "c.json", "cam1", stored)
    assert read_calibrations(tmp_path / "c.json") == {"cam1": stored}


@pytest.mark.parametrize(
    ("attributes", "whose"),
    [
        ({}, "a relative head"),
        ({"depthhead": "da3mono"}, "da3mono"),
        ({"depthkind": "metric", "depthdomain": "nyu"}, "nyu"),
        ({"depthkind": "metric", "depthdomain": "own", "depthhead": "vkitti"}, "vkitti"),
    ],
)
def test_other_depth_has_no_use_for_it(published, attributes, whose):
    published(**attributes)
    with pytest.raises(UsageError, match=f"the depth of cam1 is of {whose}; .*give two points or"):
        calibrate_by_focal("sqlite:r.db", "cam1", (500.0, 500.0), time_s=None)


def test_the_summary_says_the_head_too(described, build):
    said = {name: one for name, one in RELATIVE_KIND.items() if name != "depthscale"}
    value = b'{"grid":[[1,1,1],[1,1,1],[1,1,1]],"percentiles":{"5":1,"25":1,"50":1,"75":1,"95":1},'
    result = Result(
        build.info(1),
        "depth.summary",
        JSON,
        value + b'"unit":null}',
        said | {"depthhead": "da3mono"},
    )
    described(
        Publisher("cam1", "feedfacecafe", build.model).record(
            result, build.variant, build.operator()
        )
    )
