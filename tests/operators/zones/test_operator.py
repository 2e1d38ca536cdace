"""Zones beside segmentation and depth: what is said of frames, and when it goes on elsewhere."""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from operators.depth.calibrated import CalibratedDepth
from operators.depth.calibration import METRIC, Calibration
from operators.errors import DinostreamError, UsageError
from operators.fetch import Fetch
from operators.places.alert import Alert
from operators.places.places import Places
from operators.places.shapes import Zone
from operators.result import JSON, Result, record_id
from operators.variant import Computation, RecordKind
from operators.weights.head_request import HeadRequest
from operators.zones.findable import Findable
from operators.zones.operator import build_zones

LEFT = Zone("left", ((0, 0), (1 / 3, 0), (1 / 3, 1), (0, 1)))  # 2 of 6 columns, 8 patches
RIGHT = Zone("right", ((320, 0), (640, 0), (640, 180), (320, 180)), "pixels")  # 3 x 2 patches
CROWDED = Alert("crowded", "left", "person", share_over=0.2, for_s=0.2)
BOTH = Places((LEFT, RIGHT), (), (CROWDED,))
AT_ONCE = {"classes": ["person"], "min_s": 0, "dwell_s": 0.4}
ON_CPU = Computation("dinov2_vitti14", "a" * 64, "112", "torch", "float32", "cpu")


def said(results, topic):
    return [json.loads(one.data) for one in results if one.operator == topic]


def told(results):
    """(frame, part) of every episode and alert."""
    return [(one.info.pts // 18_000, one.part) for one in results if one.operator != "zones"]


def test_every_frame_has_one_record_of_all_zones(zones, scene):
    operator = zones(BOTH, **AT_ONCE)
    results = operator(scene([(0,), (0, 1, 5)]))
    first, second = said(results, "zones")
    assert [one["zone"] for one in first["zones"]] == ["left", "right"]
    assert [one["occupied"] for one in second["zones"]] == [["person"], ["person"]]
    assert first["zones"][0]["outline"] == [[0, 0], [213.3, 0], [213.3, 360], [0, 360]]
    assert first["zones"][1]["outline"] == [[320, 0], [640, 0], [640, 180], [320, 180]]
    shares = [
        [{one["name"]: one["share"] for one in zone["classes"]} for zone in frame["zones"]]
        for frame in (first, second)
    ]
    assert shares[0] == [{"wall": 0.875, "person": 0.125}, {"wall": 1}]
    assert shares[1] == [{"wall": 0.75, "person": 0.25}, {"wall": 0.833333, "person": 0.166667}]
    assert {one.attributes["labelset"] for one in results} == {"room"}


def test_metres_are_those_of_the_depth_map(zones, scene, depth):
    seen = scene([(0, 1)])
    (record,) = said(zones(BOTH, **AT_ONCE)(seen), "zones")
    depth_png = depth(seen)[0]
    metres = np.asarray(Image.open(BytesIO(depth_png.data))) * depth.depthscale
    at_cells = metres[1::2, 1::2]  # two cells a patch: a patch's centre is the second one's corner
    left = record["zones"][0]
    assert left["median_m"] == pytest.approx(np.sort(at_cells[:, :2], axis=None)[3], abs=1e-3)
    (person,) = (one for one in left["classes"] if one["name"] == "person")
    assert person["nearest_m"] == pytest.approx(at_cells[0, :2].min(), abs=1e-3)


def test_episodes_say_what_stayed_from_when_to_when(zones, scene):
    operator = zones(Places((LEFT,)), **AT_ONCE)
    results = operator(scene([(), (0,), (0, 1), (0,), (0,), ()]))
    over = [(5, "left.1.left"), (5, "left.occupancy")]
    assert told(results) == [(1, "left.1.entered"), (3, "left.1.dwell"), *over]
    entered, dwell, left, occupancy = said(results, "zones.episodes")
    kinds = [one["kind"] for one in (entered, dwell, left, occupancy)]
    assert kinds == ["entered", "dwell", "left", "occupancy"]
    assert left["start"] == {"position": "18000", "time": "1970-01-01T00:00:00.200000Z"}
    assert left["end"]["position"] == "72000"
    assert left["peak"]["share"] == 0.25
    assert left["peak"]["position"] == "36000"
    assert (left["zone"], left["label"], left["cut"]) == ("left", "person", False)
    assert occupancy["label"] is None
    assert 0 < left["nearest_m"] <= entered["nearest_m"]


def test_an_alert_tells_when_it_begins_and_when_it_is_over(zones, scene):
    operator = zones(BOTH, classes=["person"], min_s=99)
    results = operator(scene([(0, 1), (0,), (0, 1), (0, 1), (0, 1), (0,), (0,)]))
    assert told(results) == [(3, "crowded.begins"), (6, "crowded.ends")]
    begins, ends = said(results, "zones.alerts")
    assert (begins["start"], begins["end"]) == (ends["start"], None)
    assert (ends["start"]["position"], ends["end"]["position"]) == ("36000", "72000")
    assert (ends["alert"], ends["zone"], ends["label"]) == ("crowded", "left", "person")
    assert ends["peak"] == {"share": 0.25, **begins["start"]}


def test_an_alert_is_no_class_of_a_zone_whatever_both_are_called(zones, scene):
    columns = [(0, 1), (0,), (0, 1), (), (0, 1), (0, 1), (0, 1), (), ()]

    def told_of(zone, alert):
        where = Places(
            (replace(LEFT, name=zone),),
            (),
            (Alert(alert, zone, "person", share_over=0.2, for_s=0.2),),
        )
        told_at = told(zones(where, classes=["person"], min_s=0.2)(scene(columns)))
        return [(at, part.replace(alert, "a").replace(zone, "z")) for at, part in told_at]

    assert told_of("alert", "1")[0][0] == told_of("dock", "crowded")[0][0]
    assert len(told_of("alert", "1")) == len(told_of("dock", "crowded")) > 4


def test_an_alert_about_metres_is_about_the_nearest(zones, scene):
    free = said(zones(Places((LEFT,)))(scene([(0,)])), "zones")[0]["zones"][0]
    near = Alert("near", "left", nearest_below_m=free["nearest_m"] + 0.002)
    never = Alert("never", "left", nearest_below_m=free["nearest_m"])
    nobody = Alert("nobody", "left", "person", nearest_below_m=99)
    operator = zones(Places((LEFT,), (), (near, never, nobody)))
    results = operator(scene([(), (4,)]))
    assert ("near.begins") in [part for _, part in told(results)]
    assert {part.partition(".")[0] for _, part in told(results)} == {"near"}
    assert said(results, "zones.alerts")[0]["peak"]["nearest_m"] == free["nearest_m"]


def test_what_is_still_there_when_a_stream_breaks_is_cut(zones, scene):
    operator = zones(BOTH, **AT_ONCE)
    before = operator(scene([(0, 1)] * 3))
    cut = operator.reset("cam", "gap")
    assert told(cut) == [(2, "left.1.left"), (2, "left.occupancy"), (2, "crowded.ends")]
    assert all(one["cut"] for one in said(cut, "zones.episodes") + said(cut, "zones.alerts"))
    ids = [record_id(one, "v") for one in (*before, *cut)]
    assert len(set(ids)) == len(ids)
    assert operator.reset("cam", "end") == []
    assert told(operator(scene([()], first=3))) == []


def test_a_stream_without_zones_is_told_of_once_and_nothing_is_said(zones, scene, caplog):
    operator = zones(None, **AT_ONCE)
    assert "cam has no zones" in caplog.text
    assert operator(scene([(0,)])) == []
    assert operator.reset("cam", "end") == []


def test_it_goes_on_elsewhere_at_every_frame_as_if_nothing_had_happened(zones, scene):
    columns = [(), (0,), (0, 1), (0, 1), (0,), (0, 5), (4, 5), (), (), (1,), (1,), (0, 1)]
    settings = {"classes": ["person"], "min_s": 0.2, "dwell_s": 0.4}
    whole, found = zones(BOTH, **settings), []
    state = whole.snapshot("cam")
    wanted = whole(scene(columns))
    for number, there in enumerate(columns):
        elsewhere = zones(BOTH, **settings)
        elsewhere.restore("cam", state)
        assert elsewhere.snapshot("cam") == state
        found += elsewhere(scene([there], first=number))
        state = elsewhere.snapshot("cam")
    assert found == wanted
    assert state == whole.snapshot("cam")
    assert elsewhere.reset("cam", "end") == whole.reset("cam", "end")
    assert len(said(found, "zones.episodes")) > 5


def test_a_state_of_another_kind_is_refused(zones):
    operator = zones(BOTH)
    for state in (b"", b"[]", b'{"format":0}', b'{"format":1,"last":null,"stays":{"left":{}}}'):
        with pytest.raises(ValueError, match="zones: not a state of format 1"):
            operator.restore("cam", state)


def test_rows_at_once_say_the_same_as_one_by_one(zones, scene):
    seen = scene([(0,), (0, 1), ()])
    alone = zones(BOTH, **AT_ONCE)(seen)
    operator = zones(BOTH, **AT_ONCE)
    fetch = Fetch(seen, [operator])
    fetch.wait()
    assert fetch.say(operator, range(3)) == alone


def test_one_frame_that_is_no_number_is_named_before_anything_is_remembered(zones, scene):
    operator = zones(BOTH, **AT_ONCE)
    seen = scene([(0,), (0,)])
    seen.patches[1, 0, 0, 3] = torch.nan
    before = operator.snapshot("cam")
    with pytest.raises(DinostreamError, match="zones: frame 18000 of cam"):
        operator(seen)
    assert operator.snapshot("cam") == before


def test_pixels_outside_a_picture_are_told_of_with_its_size(zones, scene):
    operator = zones(BOTH, **AT_ONCE)
    with pytest.raises(ValueError, match=r"zone right: point 2, \[640, 0\].* 600 x 360 pixels"):
        operator(scene([()], source_hw=(360, 600)))


def variant(operator):
    return RecordKind.of(operator, "zones").variant(ON_CPU, sampling="fps 5")


def test_what_its_maps_are_made_with_is_part_of_its_records(
    tiny, segmentation, depth, zones, monkeypatch
):
    found = {variant(zones(BOTH)), variant(zones(BOTH, classes=["person"]))}
    for changed in (segmentation, depth):
        monkeypatch.setattr(changed, "head_sha256", "c" * 64)
        found.add(variant(zones(BOTH)))
        monkeypatch.setattr(changed, "version", 99)
        found.add(variant(zones(BOTH)))
    built = build_zones({}, HeadRequest("zones", tiny, "a" * 64))
    found.add(variant(built.beside({"segmentation": segmentation})))
    assert len(found) == 7


def test_a_calibrated_camera_has_its_own_metres_and_says_so(tiny, segmentation, depth, scene):
    calibrated = CalibratedDepth(depth, {"cam": Calibration(METRIC, 2.0, 0.0)})
    built = build_zones({}, HeadRequest("zones", tiny, "a" * 64))
    nearest = []
    for one in (depth, calibrated):
        operator = built.beside({"segmentation": segmentation, "depth": one})
        operator.place("cam", BOTH)
        nearest.append(said(operator(scene([()])), "zones")[0]["zones"][0]["nearest_m"])
    assert nearest[1] == pytest.approx(2 * nearest[0], abs=0.01)
    assert operator.stream_hashes == calibrated.stream_hashes


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (
            {"classes": ["persn"]},
            "operators.zones.classes: the label set room has no class 'persn'",
        ),
        ({"enter": 0.2, "leave": 0.3}, "operator zones: leave must be at most enter, got 0.3 and"),
        ({"min_s": -1}, "operator zones: min_s must be a number from 0 to 86400, got -1"),
        (
            {"min_s": float("nan")},
            "operator zones: min_s must be a number from 0 to 86400, got nan",
        ),
        ({"clases": []}, "did you mean classes?"),
    ],
)
def test_settings_that_do_not_do_are_named(zones, settings, text):
    with pytest.raises(UsageError) as caught:
        zones(BOTH, **settings)
    assert text in str(caught.value)


def test_without_segmentation_there_is_nothing_to_read(tiny, depth):
    built = build_zones({}, HeadRequest("zones", tiny, "a" * 64))
    with pytest.raises(UsageError, match="found by segmentation, which does not run in this job"):
        built.beside({"depth": depth})


def test_that_there_will_be_no_episodes_is_said_once(zones, scene, caplog):
    results = zones(BOTH)(scene([(0, 1)] * 9))
    assert said(results, "zones")
    assert not said(results, "zones.episodes")
    assert caplog.text.count("operators.zones.classes names none") == 1
    caplog.clear()
    zones(BOTH, classes=["person"])
    assert not caplog.text


def test_alerts_about_what_nobody_finds_are_refused_with_their_place(tiny, segmentation, zones):
    persn = Places((LEFT,), (), (Alert("a", "left", "persn", share_over=0.5),))
    near = Places((LEFT,), (), (Alert("b", "left", nearest_below_m=2.0),))
    with pytest.raises(
        UsageError, match=r"streams\.yard\.alerts\.a: .* has no class 'persn'; near"
    ):
        zones(BOTH).findable.refuse("yard", persn)
    zones(BOTH).findable.refuse("yard", near)
    built = build_zones({}, HeadRequest("zones", tiny, "a" * 64))
    without_depth = built.beside({"segmentation": segmentation})
    with pytest.raises(
        UsageError, match=r"streams\.yard\.alerts\.b: metres come from metric depth"
    ):
        without_depth.findable.refuse("yard", near)
    on_one = Findable(segmentation.labels, metric=False, calibrated=frozenset({"gate"}))
    on_one.refuse("gate", near)
    with pytest.raises(UsageError, match="does not run on this stream"):
        on_one.refuse("yard", near)


def test_records_of_one_frame_and_kind_have_parts_that_ids_can_hold(frame):
    alone = Result(frame(1), "zones", JSON, b"{}")
    assert record_id(alone, "v") == "zones/cam/0123456789ab/18000/v"
    part = Result(frame(1), "zones.episodes", JSON, b"{}", part="dock.12.left")
    assert record_id(part, "v") == "zones.episodes/cam/0123456789ab/18000.dock.12.left/v"
    with pytest.raises(ValueError, match="a record's part is of"):
        Result(frame(1), "zones", JSON, b"{}", part="a/b")


def test_a_repeated_frame_changes_what_the_same_frame_would_change(zones, scene, frame):
    """Also after a kill: what lasts long enough is told by repetitions, but no zones of them."""
    computed, told_of = zones(BOTH, **AT_ONCE), zones(BOTH, **AT_ONCE)
    shown = [(0, 1), (0, 1), (0, 1), (), ()]
    whole = [one for one in computed(scene(shown)) if one.operator != "zones"]
    found = [one for one in told_of(scene(shown[:1])) if one.operator != "zones"]
    for number in (1, 2):
        told_of.restore("cam", told_of.snapshot("cam"))
        found += told_of.repeat(frame(number))
    found += [one for one in told_of(scene(shown[3:4], first=3)) if one.operator != "zones"]
    assert {"left.1.dwell"} < {one.part for one in found}
    assert found + told_of.repeat(frame(4)) == whole
    assert zones(BOTH, **AT_ONCE).repeat(frame(0)) == [], "there is nothing before it"
