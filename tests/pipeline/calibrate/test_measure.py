"""Points of known distance become metres of that camera, from a sink and back into one."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from operators.depth.calibration import METRIC, RELATIVE, Calibration, View
from operators.errors import UsageError
from operators.learn.calibration import fit_calibration
from pipeline.calibrate.measure import calibrate
from pipeline.calibrate.store import StoredCalibration, read_calibrations, write_calibration
from pipeline.configuration.config import Config
from pipeline.display import open_display
from pipeline.job import run_job
from pipeline.records.payloads import depth_map
from pipeline.sinks.uri import open_reader

CLIP = "synthetic:room?seed={}&seconds=0.4&fps=5&size=64x48"


def replay(sink, *, calibrations=None, short_side=28, **own):
    """Two streams, gate and door, through depth with random weights; `own`: what one has."""
    streams = {name: {"url": CLIP.format(seed)} for name, seed in (("gate", 1), ("door", 2))}
    config = Config(
        model="dinov2_vitti14",
        weights="random",
        operators={"depth": {}},
        streams={name: {**one, **own.get(name, {})} for name, one in streams.items()},
        short_side=short_side,
        runtime="inline",
        sink=sink,
        calibrations=calibrations,
    )
    display = open_display()
    assert run_job(config, live=False, fresh=False, display=display) == 0


def extremes(values, near=2.0, far=20.0):
    """Points for the smallest and the largest value of a map of 64x48."""
    height, width = values.shape
    places = (np.unravel_index(at, values.shape) for at in (values.argmin(), values.argmax()))
    return [
        ((x + 0.5) * 64 / width - 0.5, (y + 0.5) * 48 / height - 0.5, metres)
        for (y, x), metres in zip(places, (near, far), strict=True)
    ]


@pytest.fixture(scope="module")
def replayed(tmp_path_factory):
    """A sink after one replay."""
    path = tmp_path_factory.mktemp("replayed") / "r.db"
    replay(f"sqlite:{path}")
    return path


@pytest.fixture
def sink(replayed, tmp_path):
    """The same, for one test."""
    return f"sqlite:{shutil.copy(replayed, tmp_path)}"


def messages(sink, stream):
    reader = open_reader(sink)
    try:
        found = [record.message for record in reader.records(["depth", "depth.summary"])]
    finally:
        reader.close()
    return [one for one in found if one.headers["ce_streamid"] == stream]


def test_a_stream_comes_out_in_its_own_metres(sink, tmp_path, described):
    file = tmp_path / "cameras" / "calibrations.json"
    raw = [one for one in messages(sink, "gate") if one.topic == "depth"]
    assert "ce_depthcalibrated" not in raw[0].headers, "a head of one's own is in metres"
    values = depth_map(raw[-1]).values
    near, far = (
        np.unravel_index(place, values.shape) for place in (values.argmin(), values.argmax())
    )
    points = extremes(values)
    outcome = calibrate(sink, "gate", points, time_s=None)
    assert outcome.fitted.errors_m == pytest.approx((0.0, 0.0), abs=1e-4)
    write_calibration(file, "gate", outcome.stored)

    replay(sink, calibrations=str(file))
    own = messages(sink, "gate")
    calibrated = [one for one in own if one.headers.get("ce_depthcalibrated") == "true"]
    assert {one.topic for one in calibrated} == {"depth", "depth.summary"}
    assert len(calibrated) == len(own) / 2, "the same frames again, under other ids"
    for one in calibrated:
        described(one)
        assert one.headers["ce_depthdomain"] == "calibrated"
    metres = depth_map([one for one in calibrated if one.topic == "depth"][-1]).values
    assert metres[near] == pytest.approx(2.0, abs=0.05)
    assert metres[far] == pytest.approx(20.0, abs=0.1)
    door = messages(sink, "door")
    assert len(door) == len(own) / 2, "the other camera's records are the same, ids and all"
    again = calibrate(sink, "gate", points, time_s=None)
    assert again.stored == outcome.stored, "calibrated records are not calibrated twice"


def test_a_calibration_of_another_view_is_not_used_and_told(sink, tmp_path, caplog):
    file = tmp_path / "calibrations.json"
    for stream in ("gate", "door"):
        maps = [one for one in messages(sink, stream) if one.topic == "depth"]
        stored = calibrate(sink, stream, extremes(depth_map(maps[0]).values), time_s=0.0).stored
        write_calibration(file, stream, stored)
    before = {stream: len(messages(sink, stream)) for stream in ("gate", "door")}
    own = {"gate": {"short_side": 42}, "door": {"region": (0, 0, 0.5, 1)}}
    replay(sink, calibrations=str(file), **own)
    for stream, told in (
        ("gate", "64x48 in maps of 16x12"),
        ("door", "32x48 at region 0,0,32,48 in maps of 8x12"),
    ):
        other = messages(sink, stream)[before[stream] :]
        assert other
        assert not [one for one in other if "ce_depthcalibrated" in one.headers]
        measured = f"the calibration of {stream} was measured on 64x48 in maps of 12x8"
        said = f"{measured}, and its frames are {told}: not used; calibrate again"
        assert [one.message for one in caplog.records].count(said) == 1


def test_a_calibration_that_says_nothing_of_its_view_is_used_and_told(sink, tmp_path, capfd):
    file = tmp_path / "calibrations.json"
    (model,) = {one.headers["ce_model"] for one in messages(sink, "gate")}
    write_calibration(file, "gate", StoredCalibration(Calibration(METRIC, 2.0, 0.0), model, "own"))
    replay(sink, calibrations=str(file))
    assert "the calibration of gate does not say which size" in capfd.readouterr().err
    assert "true" in {one.headers.get("ce_depthcalibrated") for one in messages(sink, "gate")}


def test_a_calibration_of_other_weights_is_left_out(tmp_path, capfd):
    sink, file = f"sqlite:{tmp_path / 'r.db'}", tmp_path / "calibrations.json"
    other = StoredCalibration(Calibration(METRIC, 2.0, 0.0), "dinov2_vitti14-000000000000", "own")
    write_calibration(file, "gate", other)
    replay(sink, calibrations=str(file))
    assert "the calibration of gate was made for other depth" in capfd.readouterr().err
    assert all("ce_depthcalibrated" not in one.headers for one in messages(sink, "gate"))


def test_disparity_becomes_metres_and_ends_at_the_horizon():
    fitted = fit_calibration(RELATIVE, [8.0, 2.0, 5.0], [1.0, 4.0, 1.6])
    line = fitted.calibration
    assert line.metres(np.array([8.0, 2.0])) == pytest.approx([1.0, 4.0], rel=0.01)
    below = Calibration(RELATIVE, 1.0, -0.5)
    assert below.metres(np.array([0.4, 0.5, 1.0])).tolist() == [0.0, 0.0, 2.0]
    assert below.hash != line.hash
    views = [None, View((48, 64), None, (8, 8)), View((48, 64), (0, 0, 64, 48), (8, 8))]
    assert len({replace(line, view=view).hash for view in views}) == 3


@pytest.mark.parametrize(
    ("kind", "values", "metres", "said"),
    [
        (METRIC, [1.0], [2.0], "two points or more"),
        (METRIC, [1.0, 1.001], [2.0, 5.0], "nearly the same at all points"),
        (METRIC, [1.0, 2.0], [5.0, 2.0], "farther points would come out nearer"),
        (RELATIVE, [1.0, 2.0], [1.0, 5.0], "farther points would come out nearer"),
        (METRIC, [1.0, 2.0], [0.0, 5.0], "above 0 m"),
    ],
)
def test_points_that_make_no_line_are_refused(kind, values, metres, said):
    with pytest.raises(UsageError, match=said):
        fit_calibration(kind, values, metres)


def test_the_file_keeps_other_streams_and_refuses_what_is_not_ours(tmp_path):
    file = tmp_path / "calibrations.json"
    view = View((48, 64), (0, 0, 32, 48), (8, 6))
    line = Calibration(METRIC, 2.0, 0.5, view)
    first = StoredCalibration(line, "m-1", "nyu", ((1.0, 2.0, 3.0),))
    second = StoredCalibration(Calibration(RELATIVE, 1.0, 0.0), "m-2", "")
    write_calibration(file, "gate", first)
    write_calibration(file, "door", second)
    assert read_calibrations(file) == {"door": second, "gate": first}
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    for text in ("{", "[]", json.dumps({"format": 2, "streams": {}})):
        file.write_text(text)
        with pytest.raises(UsageError, match="not a file of calibrations"):
            write_calibration(file, "gate", first)
        assert file.read_text() == text


def test_a_point_outside_and_a_stream_without_records_are_refused(sink):
    with pytest.raises(UsageError, match=r"point 64,3 lies outside .* 64x48"):
        calibrate(sink, "gate", [(64, 3, 1.0), (2, 3, 4.0)], time_s=0.0)
    with pytest.raises(UsageError, match="no depth record of stream yard"):
        calibrate(sink, "yard", [(1, 3, 1.0), (2, 3, 4.0)], time_s=None)


def test_of_several_variants_the_one_published_last_counts(sink):
    replay(sink, short_side=42)
    maps = [one for one in messages(sink, "gate") if one.topic == "depth"]
    newest = [one for one in maps if one.headers["ce_variant"] == maps[-1].headers["ce_variant"]]
    assert len(newest) == len(maps) / 2
    values = depth_map(newest[0]).values
    points = extremes(values, float(values.min()), float(values.max()))

    own = calibrate(sink, "gate", points, time_s=0.0).stored.calibration

    assert (own.scale, own.offset) == pytest.approx((1.0, 0.0), abs=1e-3)
