"""A threshold is found where vectors tell copies apart, by the comparison that does it best."""

import numpy as np
import pytest

from operators.errors import DinostreamError, UsageError
from operators.groups.grid import unit_rows
from pipeline.dedupe.alterations import ALTERATIONS
from pipeline.dedupe.calibrating import Copies, calibrated, copies_of
from pipeline.dedupe.looking import Looking
from pipeline.dedupe.moments import Moments


def copies(spread, noise, *, recordings=4, frames=10, width=16, step_s=1.0, lean=0.0):
    """Frames anywhere around a common direction, wide in one direction with `lean`; their copies
    beside them."""
    draw = np.random.default_rng(1)
    count = recordings * frames
    wide = np.ones(width) * spread
    wide[0] += lean
    rows = np.eye(width)[3] + draw.normal(size=(count, width)) * wide
    near = {name: rows + draw.normal(size=rows.shape) * noise for name in ("jpeg", "cropped")}
    places = np.tile(np.arange(frames), recordings)
    return Copies(
        unit_rows(rows),
        {name: unit_rows(one) for name, one in near.items()},
        np.repeat(np.arange(recordings), frames),
        places * step_s,
        2 * places >= frames,
    )


def found(given, *, precision=0.99, apart_s=60.0):
    return calibrated(given, model="m-0", short_side=28, precision=precision, apart_s=apart_s)


def test_a_narrow_cone_is_told_apart_without_its_mean():
    calibration = found(copies(0.2, 0.02))
    assert calibration.comparison in ("raw", "centred")
    assert calibration.point.recall == 1
    assert calibration.point.precision >= 0.99
    assert calibration.recalls == {"jpeg": 1.0, "cropped": 1.0}
    assert calibration.pairs == {"copies": 80, "others": 2 * 2 * 5 * 15 * 2 * 2, "frames": 40,
                                 "recordings": 4}  # fmt: skip
    lower = [one for one in calibration.points if one.threshold < calibration.point.threshold]
    assert all(one.precision < 0.99 for one in lower)


def test_where_one_direction_is_wider_than_all_others_vectors_are_whitened():
    calibration = found(copies(0.05, 0.012, lean=2.0), precision=0.95)
    assert calibration.comparison == "whitened"
    assert calibration.point.recall > 0.8


def test_frames_of_one_recording_that_are_near_are_not_judged():
    alone = copies(0.2, 0.02, recordings=1, frames=20)
    with pytest.raises(UsageError, match="second recording, or an --apart below 60 s"):
        found(alone)
    far = found(alone, apart_s=9.0)
    assert far.pairs["others"] == 2 * 2 * 2  # first and last of each half, both alterations


def test_vectors_that_say_nothing_are_refused_with_what_they_reach():
    given = copies(0.2, 5.0)
    with pytest.raises(DinostreamError, match=r"no threshold has a precision of 1: at best 0\.\d+"):
        found(given, precision=1.0)


def test_copies_are_made_and_looked_at(tiny_backbone):
    draw = np.random.default_rng(0)

    def recording(name, count):
        pictures = [draw.integers(0, 256, (56, 84, 3)).astype(np.uint8) for _ in range(count)]
        return Moments(name, [float(n) for n in range(count)], pictures)

    given = [recording("a", 3), Moments("broken"), recording("b", 2)]
    made = copies_of(given, ALTERATIONS, Looking(tiny_backbone, 28))
    assert made.originals.shape == (5, 192)
    assert {name: one.shape for name, one in made.altered.items()} == {
        name: (5, 192) for name in ALTERATIONS
    }
    assert made.recordings.tolist() == [0, 0, 0, 2, 2]
    assert made.second.tolist() == [False, False, True, False, True]
    with pytest.raises(UsageError, match="1 frames are too few"):
        copies_of([recording("a", 1)], {}, Looking(tiny_backbone, 28))
