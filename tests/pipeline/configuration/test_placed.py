"""Zones and alerts of a stream as a configuration says them."""

import pytest

from operators.errors import UsageError
from operators.places.alert import Alert
from operators.places.places import Places
from operators.places.shapes import Line, Zone
from pipeline.configuration.placed import ZoneConfig, places_of
from pipeline.configuration.resolve import describe, resolve

YARD = """
operators: {segmentation: , zones: }
streams:
  yard:
    url: synthetic:room
    zones:
      dock: {polygon: [[0, 0.5], [0.6, 0.5], [0.7, 1]]}
      gate: {line: [[0, 400], [640, 380]], unit: pixels}
    alerts:
      near: {zone: dock, label: person, nearest_below_m: 2, for_s: 1}
"""


def written(tmp_path, text):
    path = tmp_path / "run.yaml"
    path.write_text(text)
    return path


def places(path):
    config = resolve(path)
    yard = config.streams["yard"]
    return places_of("yard", yard.zones, yard.alerts, config.operators)


def refusal(tmp_path, text):
    with pytest.raises(UsageError) as caught:
        places(written(tmp_path, text))
    return str(caught.value)


def test_what_is_drawn_in_a_file_is_there_and_printed_again(tmp_path):
    path = written(tmp_path, YARD)
    assert places(path) == Places(
        (Zone("dock", ((0, 0.5), (0.6, 0.5), (0.7, 1))),),
        (Line("gate", ((0, 400), (640, 380)), "pixels"),),
        (Alert("near", "dock", "person", nearest_below_m=2, for_s=1),),
    )
    again = written(tmp_path, describe(resolve(path)))
    assert places(again).hash == places(written(tmp_path, YARD)).hash


def test_nothing_drawn_is_nothing(tmp_path):
    assert places(written(tmp_path, "streams: {yard: {url: x}}")) is None


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("[0.7, 1]", "[0.7, 1.1]", "streams.yard.zones.dock: point 3, [0.7, 1.1], is outside the"),
        (", [0.7, 1]", "", "streams.yard.zones.dock: a polygon has 3 to 100 points"),
        ("[0.7, 1]", "[0.7]", "streams.yard.zones.dock.polygon.2.1 is missing"),
        ("unit: pixels", "unit: feet", "streams.yard.zones.gate.unit: should be 'shares' or"),
        ("{line:", "{lien:", "unknown key streams.yard.zones.gate.lien; did you mean line?"),
        (", unit", ", polygon: [], unit", "streams.yard.zones.gate: want one of polygon and line"),
        ("dock: {p", "the dock: {p", "streams.yard.zones.the dock: a name has 1 to 64 of"),
        ("gate: {line", "dock: {line", "line 8: the key 'dock' is written twice"),
        ("zone: dock", "zone: dok", "streams.yard: alert near: there is no zone 'dok'; did you"),
        (", nearest_below_m: 2", "", "streams.yard.alerts.near: want one of share_over and"),
        (
            "zones: }",
            "depth: }",
            "streams.yard.alerts: the operator zones tells of them, and it do",
        ),
        ("label: person", "lable: person", "streams.yard.alerts.near.lable; did you mean label?"),
    ],
)
def test_what_cannot_be_is_named_with_its_place(tmp_path, old, new, text):
    assert old in YARD
    assert text in refusal(tmp_path, YARD.replace(old, new))


@pytest.mark.parametrize("operators", [["zones"], ["track"], ["my.own:Counter"]])
def test_zones_alone_may_be_for_whoever_reads_them(operators):
    zones = {"dock": ZoneConfig(polygon=[(0, 0), (1, 0), (1, 1)])}
    assert places_of("yard", zones, {}, operators).zones
    with pytest.raises(UsageError, match=r"streams\.yard\.zones: the operator zones tells of them"):
        places_of("yard", zones, {}, ["segmentation"])


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("[0.7, 1]", "[0.7, .nan]", "dock.polygon.2.1: should be a finite number; got nan"),
        ("[0.7, 1]", "0.7, 1", "dock.polygon.2: should be a list; got 0.7"),
        ("[0.7, 1]", "[0, 1, 2]", "dock.polygon.2: should have at most 2 items, not 3"),
        ("{polygon: [[0, 0.5], [0.6, 0.5], [0.7, 1]]}", "", "dock: should be a table of keys"),
    ],
)
def test_what_stands_in_a_list_or_is_empty_is_blamed_on_the_file(tmp_path, old, new, text):
    assert old in YARD
    said = refusal(tmp_path, YARD.replace(old, new)).splitlines()[0]
    assert said.startswith(f"{tmp_path}/run.yaml: streams.yard.zones.{text}")
