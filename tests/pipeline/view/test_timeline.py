"""What lies along an axis: marks by lane, binned where there are many, and what they are called."""

from __future__ import annotations

import pytest

from pipeline.view.axes import NotThere
from pipeline.view.marks import MOST_DRAWN
from pipeline.view.series import Axis
from pipeline.view.timeline import Timeline
from tests.pipeline.view.conftest import BEGAN_US, RECORDING, SECOND_US

LIVE = Axis("gate", "live")


@pytest.fixture
def timeline(shelf, axes):
    return Timeline(shelf, axes)


def lanes(told):
    return {lane["name"]: lane["items"] for lane in told["lanes"]}


def whole(timeline, axis=LIVE, **how):
    return timeline.of(axis, None, None, **{"width": 1000, "text": "", **how})


def part(timeline, from_s, to_s):
    from_us, to_us = BEGAN_US + from_s * SECOND_US, BEGAN_US + to_s * SECOND_US
    return timeline.of(LIVE, from_us, to_us, width=100, text="")


def test_every_kind_of_record_has_its_lane(book, timeline):
    book.write(*[book.frame(n) for n in range(50)])
    book.write(
        book.action(0, 8, "walks", 0.8), book.action(8, 16, ""), book.episode(0, 16, "walks")
    )
    book.write(book.event("dropped", 20, dropped=7, cause="late"), book.dead_letter(25))
    book.write(book.event("disconnected", 30, detail="<b>gone</b>"), book.event("stalled", lost=0))
    told = whole(timeline)
    found = lanes(told)
    assert list(found) == ["episodes", "action", "events", "drops", "dead letters"]
    (walks,) = found["action"]
    assert (walks["label"], walks["score"], walks["count"]) == ("walks", 0.8, 1)
    assert (walks["from_us"] - BEGAN_US, walks["to_us"] - BEGAN_US) == (0, 1_600_000)
    (dropped,) = found["drops"]
    assert (dropped["count"], dropped["detail"]) == (7, "late")
    assert dropped["from_us"] - BEGAN_US == 4 * SECOND_US
    gone, stalled = sorted(found["events"], key=lambda one: one["label"])
    assert (gone["from_us"] - BEGAN_US, gone["detail"]) == (6 * SECOND_US, "<b>gone</b>")
    assert stalled["from_us"] == book.now_us  # nobody knows its frame: when it was noticed
    assert found["dead letters"][0]["label"] == "depth: DinostreamError"
    assert told["labels"] == [{"name": "walks", "count": 2}]


def test_only_what_reaches_into_the_span_is_told_and_lanes_stay(book, timeline):
    book.write(*[book.frame(n) for n in range(100)])
    book.write(book.action(0, 8, "walks"), book.action(50, 58, "falls"))
    told = part(timeline, 9, 11)
    assert [one["label"] for one in lanes(told)["action"]] == ["falls"]
    assert told["first_us"] == BEGAN_US
    early = part(timeline, 4, 5)
    assert lanes(early) == {"action": []}


def test_labels_are_chosen_by_text(book, timeline):
    book.write(*[book.frame(n) for n in range(30)])
    book.write(book.action(0, 8, "Walks"), book.action(8, 16, "falls"))
    assert [one["label"] for one in lanes(whole(timeline, text="wALK"))["action"]] == ["Walks"]


def test_many_marks_are_counted_in_bins(book, timeline):
    book.write(*[book.frame(n) for n in range(9000)])
    book.write(*[book.action(n, n, "still" if n < 6000 else "runs") for n in range(0, 9000, 3)])
    told = whole(timeline, width=600)
    lane = next(one for one in told["lanes"] if one["name"] == "action")
    assert lane["binned"]
    assert {one["label"] for one in lane["items"]} == {"still", "runs"}
    assert sum(one["count"] for one in lane["items"]) == 3000 > MOST_DRAWN
    assert len(lane["items"]) <= 600


def test_gaps_are_between_stretches_and_cut_to_the_span(book, timeline):
    book.write(*[book.frame(n) for n in range(20)], *[book.frame(n) for n in range(100, 120)])
    told = whole(timeline)
    assert told["gaps"] == [
        {"from_us": BEGAN_US + 3_800_000, "to_us": BEGAN_US + 20 * SECOND_US},
    ]
    inside = part(timeline, 5, 6)
    assert inside["covered"] == []
    (gap,) = inside["gaps"]
    assert (gap["from_us"] - BEGAN_US, gap["to_us"] - BEGAN_US) == (5 * SECOND_US, 6 * SECOND_US)


def test_new_marks_come_and_old_ones_are_not_read_again(book, timeline, shelf):
    book.write(*[book.frame(n) for n in range(30)], book.action(0, 8, "walks"))
    whole(timeline)
    book.write(book.action(8, 16, "falls"))
    offset = shelf.index.end()
    shelf.take("action", offset, shelf.index.headers(offset))
    read = []
    records = shelf.index.records
    shelf.index.records = lambda offsets: read.extend(offsets) or records(offsets)
    assert [one["label"] for one in lanes(whole(timeline))["action"]] == ["walks", "falls"]
    assert read == [offset]


def test_events_of_a_recording_lie_where_its_frames_do(book, timeline):
    book.write(*[book.frame(n, session=RECORDING) for n in range(10)])
    told = {"started": 0, "ended": 9}
    book.write(*[book.event(kind, at, session=RECORDING) for kind, at in told.items()])
    found = lanes(whole(timeline, Axis("gate", RECORDING)))["events"]
    assert {one["label"]: one["from_us"] for one in found} == {"started": 0, "ended": 1_800_000}


def test_an_axis_without_frames_is_not_there(book, timeline):
    book.write(book.event("started", 0))
    with pytest.raises(NotThere, match="gate has no frame on axis 'live'"):
        whole(timeline)
