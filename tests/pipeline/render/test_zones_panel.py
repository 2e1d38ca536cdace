"""Zones over the video: outlines of records or of a configuration, notes, and alerts that hold."""

from __future__ import annotations

import numpy as np
import pytest

from operators.format import JSON
from operators.places.places import Places
from operators.places.shapes import Line, Zone
from operators.result import canonical_json
from pipeline.drawing.outline import Outline
from pipeline.drawing.palette import CLASS_COLOURS
from pipeline.render import zones_panel
from pipeline.render.track import Track, held_maps
from pipeline.render.zones_panel import Alarm, ZonesPanel, alarms, outlines

LEFT = [[16, 18], [64, 18], [64, 72], [16, 72]]  # pixels of 160 x 90
PERSON = {"id": 1, "name": "person", "share": 0.25, "nearest_m": 2.0, "median_m": 2.5}


@pytest.fixture
def of(records):
    """`of(5, occupied=["person"])`: the record of a frame."""

    def made(number, *, occupied=(), nearest_m=2.04):
        zone = {"zone": "left", "outline": LEFT, "occupied": list(occupied), "classes": [PERSON]}
        zone |= {"nearest_m": nearest_m, "median_m": nearest_m}
        value = canonical_json({"zones": [zone]})
        return records.of(records.info(number), "zones", JSON, value)

    return made


@pytest.fixture
def alert(records):
    def made(number, phase, name="near", start="1970-01-01T00:00:00.000000Z"):
        said = {"alert": name, "zone": "left", "phase": phase, "start": {"time": start}}
        return records.of(records.info(number), "zones.alerts", JSON, canonical_json(said))

    return made


@pytest.fixture
def shown(monkeypatch):
    """Every outline that is drawn."""
    found = []
    draw = zones_panel.draw_outline
    monkeypatch.setattr(
        zones_panel, "draw_outline",
        lambda canvas, box, outline, colour: found.append(outline)
        or draw(canvas, box, outline, colour),
    )  # fmt: skip
    return found


def frame():
    return np.full((90, 160, 3), 90, np.uint8)


def test_what_the_records_say_stands_over_the_frame(of, shown):
    panel = ZonesPanel(Track(held_maps(iter([of(0), of(5, occupied=["person"], nearest_m=None)]))))
    picture = panel.picture(0, frame(), 0)
    line = picture[70:75, 30:50].astype(int)
    assert (np.abs(line - CLASS_COLOURS[0]).max(axis=2) < 60).any()
    assert np.abs(picture[:, 140:].astype(int) - 90).max() <= 2, "nothing is drawn there"
    panel.picture(500_000, frame(), 0)
    first, second = shown
    assert first.points == [(0.1, 0.2), (0.4, 0.2), (0.4, 0.8), (0.1, 0.8)]
    assert first.notes == ("person 25%", "nearest 2.0 m")
    assert second.notes == ("in it: person", "person 25%")


def test_before_the_first_record_there_is_nothing_but_what_was_drawn(of, shown):
    drawn = [Outline("left", [(0, 0), (1, 0), (1, 1)]), Outline("other", [(0, 0), (1, 1)])]
    panel = ZonesPanel(Track(held_maps(iter([of(5)]))), drawn=drawn)
    panel.picture(0, frame(), 0)
    panel.picture(500_000, frame(), 0)
    assert shown[:2] == drawn
    assert [one.notes for one in shown[2:]] == [("person 25%", "nearest 2.0 m"), ()]
    assert [one.points for one in shown[2:]] == [one.points for one in drawn]


def test_an_alert_holds_from_its_beginning_to_its_end(alert, of, shown):
    found = alarms([alert(2, "begins"), alert(3, "begins", "other"), alert(4, "ends")])
    assert found == [
        Alarm("near", "left", 200_000, 400_000), Alarm("other", "left", 300_000),
    ]  # fmt: skip
    panel = ZonesPanel(Track(held_maps(iter([of(0)]))), found)
    for moment_us in (100_000, 200_000, 399_999, 400_000):
        panel.picture(moment_us, frame(), 0)
    told = [tuple(note for note in one.notes if "alert" in note) for one in shown]
    assert told == [(), ("alert: near",), ("alert: near", "alert: other"), ("alert: other",)]
    assert [one.alarmed for one in shown] == [False, True, True, True]


def test_what_is_configured_is_outlined_in_shares():
    places = Places(
        (Zone("dock", ((0.0, 0.0), (80.0, 0.0), (80.0, 45.0)), "pixels"),),
        (Line("gate", ((0.0, 0.0), (1.0, 1.0))),),
    )
    dock, gate = outlines(places, (90, 160))
    assert (dock.points, dock.closed) == (((0, 0), (0.5, 0), (0.5, 0.5)), True)
    assert (gate.name, gate.closed) == ("gate", False)
    with pytest.raises(ValueError, match="zone dock: point 2"):
        outlines(places, (90, 60))
