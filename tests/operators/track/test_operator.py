"""Tracking as a job has it: what records say, what is refused, and that a resume says the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import jsonschema
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from operators.backbones.architectures import Architecture
from operators.detect.operator import Detect
from operators.errors import DinostreamError, UsageError
from operators.fetch import Fetch
from operators.format import BUILT_IN
from operators.frames import Features, FrameInfo
from operators.places.places import Places
from operators.places.shapes import Line, Zone
from operators.registry import build_operator
from operators.result import Result
from operators.track.operator import Tracking

Frame = Callable[..., FrameInfo]
Made = Callable[..., Tracking]
Numbers = list[NDArray[Any]]

GATE = Line("gate", ((0.5, 0.0), (0.5, 1.0)))  # down the middle: in is from right to left
DOCK = Zone("dock", ((0.25, 0.0), (0.75, 0.0), (0.75, 1.0), (0.25, 1.0)))
PLACES = Places((DOCK,), (GATE,))
MOST, WIDTH = 5, 8


@pytest.fixture(scope="module")
def detect(tiny: Architecture) -> Detect:
    found = build_operator("detect", {}, architecture=tiny, backbone_sha256="a" * 64, random_seed=0)
    assert isinstance(found, Detect)
    found.load(torch.device("cpu"), torch.float32)
    return found


@pytest.fixture
def tracking(tiny: Architecture, detect: Detect) -> Made:
    """`tracking({"lost_s": 2})`: in a job that detects."""

    def made(settings: dict[str, Any] | None = None) -> Tracking:
        alone = build_operator("track", settings or {}, architecture=tiny, backbone_sha256="a" * 64)
        beside = alone.beside({"detect": detect})
        assert isinstance(beside, Tracking)
        return beside

    return made


def detected(*things: tuple[float, int]) -> Numbers:
    """What is detected of a frame: the middle of each thing, in parts of the width, and its
    label, which it looks like."""
    boxes, scores = np.zeros((MOST, 4), np.float32), np.zeros(MOST, np.float32)
    labels, looks = np.zeros(MOST, np.float32), np.zeros((MOST, WIDTH), np.float32)
    for row, (x, label) in enumerate(things):
        boxes[row], scores[row], labels[row] = (x - 0.05, 0.4, x + 0.05, 0.6), 0.9, label
        looks[row, label] = 1
    return [boxes, scores, labels, looks]


def said(results: Sequence[Result], topic: str) -> list[dict[str, Any]]:
    return [json.loads(one.data) for one in results if one.operator == topic]


def walk(frame: Frame) -> Iterator[tuple[FrameInfo, Numbers]]:
    """One goes from left to right and away, another stands; one frame shows nothing."""
    for number in range(12):
        walker = [(0.1 + 0.08 * number, 1)] if number < 10 else []
        yield frame(number), detected(*walker, (0.6, 2)) if number != 4 else detected()


def test_a_frame_says_where_everything_is(tracking: Made, frame: Frame) -> None:
    operator = tracking()
    told = [operator.say(info, *numbers) for info, numbers in walk(frame)]
    frames = [said(one, "tracks")[0]["tracks"] for one in told]
    assert [len(one) for one in frames] == [0] + [2] * 11
    walker, other = frames[3]
    assert walker == {
        "id": 1,
        "label": {"id": 1, "name": "untrained 1"},
        "box": [185.6, 144, 249.6, 216],
        "score": 0.9,
        "state": "seen",
        "age_s": 0.6,
        "start": "0",
    }
    assert (other["id"], other["label"]["id"]) == (2, 2)
    lost = frames[4][0]
    assert (lost["id"], lost["state"], lost["score"]) == (1, "lost", 0.9)
    assert lost["box"] == pytest.approx([236, 144, 301, 216], abs=8), "where it goes on to"
    assert [one["state"] for one in frames[5]] == ["seen", "seen"]
    assert [one["state"] for one in frames[11]] == ["lost", "seen"]


def test_lines_and_zones_are_told_of_once_each(tracking: Made, frame: Frame) -> None:
    operator = tracking({"lost_s": 0.5})
    operator.place("cam", PLACES)
    told = [operator.say(info, *numbers) for info, numbers in walk(frame)]
    flat = [result for one in told for result in one]
    who = {"id": 1, "label": {"id": 1, "name": "untrained 1"}}
    (crossing,) = said(flat, "lines.crossed")
    assert crossing == {"line": "gate", "direction": "out", **who, "total": {"in": 0, "out": 1}}
    visits = [
        (index, one["kind"], one["id"])
        for index, own in enumerate(told)
        for one in said(own, "tracks.zones")
    ]
    assert visits == [(1, "entered", 2), (3, "entered", 1), (9, "left", 1)]
    entered, left = (one for one in said(flat, "tracks.zones") if one["id"] == 1)
    start = {"position": "54000", "time": "1970-01-01T00:00:00.600000Z"}
    assert entered == {
        **{"kind": "entered", "zone": "dock", **who},
        **{"start": start, "end": None, "dwell_s": None},
    }
    assert left == {
        **{"kind": "left", "zone": "dock", **who, "start": start, "dwell_s": 1.2},
        "end": {"position": "162000", "time": "1970-01-01T00:00:01.800000Z"},
    }
    (record,) = (one for one in flat if one.part.endswith(".left"))
    assert (record.part, record.info, record.start) == ("dock.1.left", frame(9), frame(3))
    (cut,) = operator.reset("cam", "end")
    assert (cut.part, cut.info) == ("dock.2.cut", frame(11))


def test_a_visit_of_a_thing_that_is_given_up_ends_where_it_was_seen_last(
    tracking: Made, frame: Frame
) -> None:
    operator = tracking({"lost_s": 0.5})
    operator.place("cam", PLACES)
    results = []
    for number in range(8):
        seen = detected((0.6, 2)) if number < 4 else detected()
        results += operator.say(frame(number), *seen)
    _, lost = said(results, "tracks.zones")
    assert (lost["kind"], lost["end"]["position"], lost["dwell_s"]) == ("lost", "54000", 0.4)


def test_every_record_is_as_its_schema_says_and_no_id_comes_twice(
    tracking: Made, frame: Frame
) -> None:
    from pipeline.schemas.catalogue import of_value, schemas

    operator = tracking({"lost_s": 0.5})
    operator.place("cam", PLACES)
    results = operator.say_all(*zip(*walk(frame), strict=True))
    results += operator.reset("cam", "gap")
    assert {one.operator for one in results} == set(BUILT_IN["track"]) == set(operator.topics)
    known = schemas()
    for one in results:
        jsonschema.validate(json.loads(one.data), known[of_value(one.operator)])
        assert one.attributes == {"labelset": "untrained"}
    ids = [(one.operator, one.info.position, one.part) for one in results]
    assert len(ids) == len(set(ids))


def test_after_a_gap_ids_and_counts_go_on_and_in_a_new_session_they_begin_anew(
    tracking: Made, frame: Frame
) -> None:
    def crossing(operator: Tracking, first: int, **more: Any) -> tuple[int, int]:
        """Id of who crosses the line, and how many have."""
        results = []
        for number in range(4):
            info = frame(first + number, **more)
            results += operator.say(info, *detected((0.35 + 0.1 * number, 1)))
        (one,) = said(results, "lines.crossed")
        return one["id"], one["total"]["out"]

    operator = tracking()
    operator.place("cam", PLACES)
    assert crossing(operator, 0) == (1, 1)
    for number, reason in enumerate(("gap", "overload"), start=2):
        operator.reset("cam", reason)
        again = tracking()
        again.place("cam", PLACES)
        again.restore("cam", operator.snapshot("cam"))
        assert crossing(operator, 100 * number) == (number, number)
        assert crossing(again, 100 * number) == (number, number)
    operator.reset("cam", "session")
    assert crossing(operator, 900, session="fedcba987654") == (1, 1)


def test_who_goes_on_from_its_state_says_the_same_from_every_frame_on(
    tracking: Made, frame: Frame
) -> None:
    whole, resumed = tracking({"lost_s": 0.5}), tracking({"lost_s": 0.5})
    for one in (whole, resumed):
        one.place("cam", PLACES)
    for info, numbers in walk(frame):
        assert resumed.say(info, *numbers) == whole.say(info, *numbers)
        state = whole.snapshot("cam")
        assert resumed.snapshot("cam") == state
        resumed = tracking({"lost_s": 0.5})
        resumed.place("cam", PLACES)
        resumed.restore("cam", state)
        assert resumed.snapshot("cam") == state
    assert resumed.reset("cam", "end") == whole.reset("cam", "end") != []
    assert resumed.snapshot("cam") == tracking().snapshot("never seen")


def test_a_frame_that_shows_what_the_last_did_keeps_who_is_there(
    tracking: Made, frame: Frame
) -> None:
    """One that stands is still there after longer than it may be lost; who was lost already is
    given up, and told of."""
    operator = tracking({"lost_s": 0.5})
    operator.place("cam", PLACES)
    assert operator.repeat(frame(0)) == []
    for number in range(3):
        there = [(0.6, 2)] if number == 2 else [(0.6, 2), (0.4, 1)]
        operator.say(frame(number), *detected(*there))
    told = [operator.repeat(frame(number)) for number in range(3, 12)]
    (lost,) = (one for results in told for one in results)
    assert (lost.part, lost.info) == ("dock.2.lost", frame(4))
    tracks = said(operator.say(frame(12), *detected((0.6, 2))), "tracks")[0]["tracks"]
    assert [(one["id"], one["state"], one["age_s"]) for one in tracks] == [(1, "seen", 2.4)]


@pytest.mark.parametrize("state", [b"", b"{}", b'{"format":9}', b'{"format":1,"session":""}'])
def test_a_state_that_it_does_not_know_is_refused(tracking: Made, state: bytes) -> None:
    with pytest.raises(ValueError, match="track: not a state of format 1"):
        tracking().restore("cam", state)


def test_a_frame_that_went_wrong_tears_no_memory(tracking: Made, frame: Frame) -> None:
    operator = tracking()
    steps = list(walk(frame))
    for info, numbers in steps[:3]:
        operator.say(info, *numbers)
    before = operator.snapshot("cam")
    for index, broken in ((1, "detect"), (3, "track")):
        numbers = [one.copy() for one in steps[4 - 1][1]]
        numbers[index][0] = np.nan
        with pytest.raises(DinostreamError, match=f"{broken}: frame 90000 of cam gives NaN"):
            operator.say_all([steps[3][0], frame(5)], [steps[3][1], numbers])
        assert operator.snapshot("cam") == before


def test_it_reads_what_detect_finds_and_batch_mates_change_nothing(
    tracking: Made,
    detect: Detect,
    features_of: Callable[..., Features],
    frame: Frame,
    tiny: Architecture,
) -> None:
    times = enumerate(("0", "0+1", "0+2", "18000"))  # the first three show the same
    infos = [frame(0, position=at, event_time_us=200_000 * number) for number, at in times]
    together, alone, on_card = tracking(), tracking(), tracking()
    features = features_of(infos, tiny)
    found = together(features)
    assert found == [one for info in infos for one in alone(features_of([info], tiny))]
    boxes = [one["box"] for one in json.loads(detect(features)[1].data)["objects"]]
    tracks = json.loads(next(one for one in found if one.info == infos[1]).data)["tracks"]
    assert tracks
    assert all(track["box"] in boxes for track in tracks if track["state"] == "seen")
    fetch = Fetch(features, [on_card])
    fetch.wait()
    assert len(fetch.say(on_card, range(4))) == len(found)
    fetch.close()


def test_what_changes_the_detections_changes_its_settings(tracking: Made, detect: Detect) -> None:
    settings = tracking({"sightings": 3, "anchor": "centre"}).settings()
    assert settings == {
        "sightings": 3,
        "lost_s": 5.0,
        "anchor": "centre",
        "detect": {**detect.settings(), "version": detect.version},
    }
    operator = tracking()
    assert (operator.head_sha256, operator.untrained) == (detect.head_sha256, True)
    assert (operator.layers, operator.placed) == (detect.layers, True)
    assert operator.label_sets() == detect.label_sets()


def test_without_detect_there_is_nothing_to_track(tiny: Architecture) -> None:
    alone = build_operator("track", {}, architecture=tiny, backbone_sha256="a" * 64)
    with pytest.raises(UsageError, match=r"operators\.track: what it tracks is found by detect"):
        alone.beside({"track": alone})


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"sightings": 0}, "sightings must be a whole number from 1 to 100, got 0"),
        ({"lost_s": 0}, "lost_s must be a number from 0.1 to 3600, got 0"),
        ({"lost_s": True}, "lost_s must be a number from 0.1 to 3600, got True"),
        ({"anchor": "top"}, "anchor must be one of bottom, centre, got 'top'"),
        ({"lost": 2}, "operator track has no setting 'lost'; did you mean lost_s?"),
    ],
)
def test_settings_that_do_not_do_are_refused(
    tracking: Made, settings: dict[str, Any], error: str
) -> None:
    with pytest.raises(UsageError, match=error.replace("?", r"\?")):
        tracking(settings)


def test_lines_in_pixels_are_of_the_source(tracking: Made, frame: Frame) -> None:
    operator = tracking()
    line = Line("gate", ((320.0, 0.0), (320.0, 360.0)), "pixels")
    operator.place("cam", Places((), (line,)))
    results = []
    for number in range(4):
        results += operator.say(frame(number), *detected((0.35 + 0.1 * number, 1)))
    assert len(said(results, "lines.crossed")) == 1
    operator.place("cam", None)
    results = operator.say(replace(frame(4), source_hw=(90, 160)), *detected((0.4, 1)))
    assert [one.operator for one in results] == ["tracks"]


def test_what_is_seen_once_is_seen_again_in_repetitions(tracking: Made, frame: Frame) -> None:
    """Tracks keep their ids over them, also after a kill; one that had none yet has one then."""
    track = tracking()
    track.say(frame(0), *detected((0.2, 0)))
    (named,) = track.repeat(frame(1))
    assert [one["id"] for one in said([named], "tracks")[0]["tracks"]] == [1]
    for number in range(2, 12):
        track.restore("cam", track.snapshot("cam"))
        assert track.repeat(frame(number)) == []
    (seen,) = said(track.say(frame(12), *detected((0.21, 0), (0.8, 1))), "tracks")
    assert [one["id"] for one in seen["tracks"]] == [1]
    assert tracking().repeat(frame(0)) == [], "there is nothing before it"
