"""Windows of labelled recordings: majorities, background, breaks, days, spans beyond the end."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from operators.errors import UsageError
from pipeline.fit.spans import Labelled, Span
from pipeline.fit.windowing import Cut, Seen, by_day, by_file, has_background, windows_of

CUT = Cut(fps=5, frames=4, stride=2)
DAY_US = 86_400_000_000
NOON_US = 1_763_812_800_000_000  # 2025-11-22 12:00 UTC


def seen(
    name, count, *spans, breaks=(), clock="container", first_us=NOON_US, skip=(), content=None
):
    times_us = np.array([first_us + 200_000 * n for n in range(count) if n not in skip])
    return Seen(
        Labelled(name, tuple(Span(*span, line=2) for span in spans)),
        content or name,
        np.arange(len(times_us), dtype=np.float32)[:, None, None] * np.ones((1, 5, 3), np.float32),
        (times_us - first_us) / 1e6,
        times_us,
        clock,
        breaks,
        count / 5,
    )


def labelled(recordings, labels, cut=CUT, group=by_file):
    examples, mixed = windows_of(recordings, labels, cut, group)
    named = [labels[target] for target in examples.targets]
    first = examples.rows[:, 0].tolist()
    windows = list(zip(first, examples.present.tolist(), named, strict=True))
    return windows, mixed, examples


def test_a_window_has_the_label_of_more_than_half_of_its_frames():
    one = seen("a", 12, (0.0, 0.6, "wave"), (1.6, 2.4, "walk"))
    windows, mixed, _ = labelled([one], ("background", "walk", "wave"))
    # frames 0-2 wave, 3-7 nothing, 8-11 walk; windows from 0, 2, 4, 6, 8
    assert windows == [
        (0, 4, "wave"),
        (2, 4, "background"),
        (4, 4, "background"),
        (8, 4, "walk"),
    ]
    assert mixed == 1  # from 6: two of each
    assert has_background([one], CUT)
    assert not has_background([seen("b", 12, (0.0, inf, "wave"))], CUT)


def test_windows_do_not_reach_across_breaks_and_gaps():
    whole = (0.0, inf, "wave")
    other = seen("b", 4, (0.0, inf, "walk"))
    broken = seen("a", 9, whole, breaks=(5,))
    windows, _, _ = labelled([broken, other], ("walk", "wave"))
    assert windows == [(0, 4, "wave"), (2, 3, "wave"), (5, 4, "wave"), (9, 4, "walk")]
    gap = seen("a", 9, whole, skip=(5, 6))
    windows, _, _ = labelled([gap, other], ("walk", "wave"))
    assert windows == [(0, 4, "wave"), (2, 3, "wave"), (5, 2, "wave"), (7, 4, "walk")]


def test_short_windows_repeat_their_last_frame():
    recordings = [seen("a", 2, (0.0, inf, "wave")), seen("b", 4, (0.0, inf, "walk"))]
    _, _, examples = labelled(recordings, ("walk", "wave"))
    assert examples.rows.tolist() == [[0, 1, 1, 1], [2, 3, 4, 5]]
    assert examples.present.tolist() == [2, 4]
    assert examples.parts[:, 0, 0].tolist() == [0, 1, 0, 1, 2, 3]
    assert examples.groups == ("a", "b")


def test_copies_of_a_recording_are_one_group():
    whole = (0.0, inf, "wave")
    recordings = [
        seen("a", 4, whole, content="same"),
        seen("b", 4, whole, content="same"),
        seen("c", 4, (0.0, inf, "walk")),
    ]
    _, _, examples = labelled(recordings, ("walk", "wave"))
    assert examples.groups == ("same", "same", "c")


def test_days_come_from_the_footage():
    spans = (0.0, inf, "wave")
    late = seen("a", 12, spans, first_us=NOON_US + DAY_US // 2 - 1_000_000)
    days = [by_day(late, row) for row in (0, 11)]
    assert days == ["2025-11-22", "2025-11-23"]
    with pytest.raises(UsageError, match=r"a: does not say when it was recorded.*--split file"):
        by_day(seen("a", 12, spans, clock="media"), 0)


@pytest.mark.parametrize(
    ("span", "fits"),
    [((0.0, 3.4), True), ((0.0, 3.5), False), ((2.4, 9.0), False), ((2.4, inf), False)],
)
def test_spans_beyond_the_end_are_named(span, fits):
    recordings = [seen("a", 12, (*span, "wave")), seen("b", 4, (0.0, inf, "walk"))]
    if fits:
        labelled(recordings, ("walk", "wave"))
        return
    with pytest.raises(UsageError, match=r"a: wave from .* \(line 2\) lies beyond its end"):
        labelled(recordings, ("walk", "wave"))


def test_a_class_without_a_window_is_named():
    recordings = [
        seen("a", 12, (0.0, 0.3, "blink")),
        seen("b", 4, (0.0, inf, "walk")),
    ]
    with pytest.raises(UsageError, match="no window of 4 frames at 5 frames/s is mostly blink"):
        labelled(recordings, ("background", "blink", "walk"))
