"""Shares over event time, per series, the most frequent classes first."""

import pytest

from pipeline.plot.classes import MOST, Classes

LIVE = "1795371519100128"


def summary(stored, number=0, stream="gate", *, shares, at_s=0.0, **more):
    classes = [{"name": name, "share": share} for name, share in shares.items()]
    info = {"event_time_us": round(at_s * 1e6)} | more
    return stored(number, stream, topic="segmentation.summary", data={"classes": classes}, **info)


def test_shares_are_means_of_a_bin_and_unknown_between(asked, stored):
    records = [
        summary(stored, 0, shares={"wall": 0.75, "car": 0.25}),
        summary(stored, 1, shares={"wall": 0.25, "car": 0.75}, at_s=0.5),
        summary(stored, 2, shares={"car": 1.0}, at_s=2),
    ]
    (panel,) = asked(Classes(), records)
    assert {one.name: list(one.values) for one in panel.series} == {
        "car 67%": [0.5, None, 1.0],
        "wall 33%": [0.5, None, 0.0],
    }
    assert (panel.title, panel.along, panel.top) == ("Classes of gate", "recording", 1)


def test_classes_without_a_colour_are_together(asked, stored):
    shares = {f"c{number:02}": 0.05 for number in range(20)}
    (panel,) = asked(Classes(), [summary(stored, shares=shares)])
    assert panel.series[-1].name == "11 others 55%"
    assert sum(one.values[0] for one in panel.series) == pytest.approx(1)


def test_sessions_of_a_recording_and_variants_are_apart_and_those_of_a_camera_are_not(
    asked, stored
):
    shares = {"wall": 1.0}
    records = [
        summary(stored, 0, "clip", shares=shares, session="a" * 12),
        summary(stored, 0, "clip", shares=shares, session="b" * 12),
        summary(stored, 0, "yard", shares=shares, session=LIVE, clock="capture"),
        summary(stored, 0, "yard", shares=shares, session=LIVE[:-1] + "9", clock="capture"),
    ]
    panels = asked(Classes(), records)
    titles = [f"Classes of clip, {one * 12}" for one in "ab"] + ["Classes of yard"]
    assert [one.title for one in panels] == titles
    assert panels[-1].along == "moments"


def test_streams_without_room_are_told(asked, stored):
    names = [f"cam{number}" for number in range(MOST + 2)]
    records = [summary(stored, 0, name, shares={"a": 1.0}) for name in reversed(names)]
    panels = asked(Classes(), records)
    assert [one.title for one in panels] == [f"Classes of {name}" for name in names[:MOST]]
    assert panels[-1].notes == ["2 more streams are not drawn: --stream NAME chooses."]


def test_values_that_mean_nothing_are_said_to(asked, stored):
    (panel,) = asked(Classes(), [summary(stored, shares={"a": 1.0}, ce_untrained="true")])
    assert panel.warning == "UNTRAINED WEIGHTS: shapes are real, values mean nothing"


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), float("inf"), "0.5", None])
def test_what_is_no_share_is_refused_and_leaves_nothing(stored, share):
    question = Classes()
    with pytest.raises((ValueError, TypeError)):
        question.see(summary(stored, shares={"a": 0.5, "b": share}))
    assert question.panels() == []
