"""Answers beside true ones: mIoU and AbsRel as their formulas say."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.gate.overlap import SKY_M, Overlap

CLASSES = np.array([[1, 1, 2, 2]], np.uint8)
METRES = np.array([[2.0, 4.0, 10.0, SKY_M]], np.float32)


def test_the_truth_itself_has_no_loss():
    overlap = Overlap()
    overlap.add((CLASSES, METRES), (CLASSES, METRES))
    assert overlap.summed() == {"mIoU": 1.0, "AbsRel": 0.0, "frames": 1}


def test_classes_are_averaged_over_all_frames_and_the_sky_has_no_distance():
    overlap = Overlap()
    overlap.add((CLASSES, METRES), (CLASSES, METRES))
    told = np.array([[3.0, 4.0, np.nan, 1.0]], np.float32)
    overlap.add((CLASSES, METRES), (np.array([[1, 2, 2, 2]], np.uint8), told))
    found = overlap.summed()
    assert found["mIoU"] == pytest.approx((3 / 4 + 4 / 5) / 2)
    assert found["AbsRel"] == pytest.approx((0 + 0 + 0 + 0.5 + 0) / 5)
    assert found["frames"] == 2
