"""What batches and commits take, as of late."""

from __future__ import annotations

import pytest

from pipeline.engine.pace import Pace


def test_a_run_is_begun_as_long_before_its_deadline_as_its_batches_and_its_commit_take() -> None:
    pace = Pace(8)
    assert pace.lead_s(16) == 0.0
    for _ in range(100):
        pace.see_batch(0.2)
        pace.see_commit(0.05)
    assert pace.lead_s(8) == pytest.approx(0.25)
    assert pace.lead_s(9) == pytest.approx(0.45)


def test_it_goes_up_sooner_than_down() -> None:
    pace = Pace(1)
    for _ in range(100):
        pace.see_batch(1.0)
    pace.see_batch(2.0)
    up_s = pace.lead_s(1)
    assert up_s == pytest.approx(1.3)
    pace.see_batch(up_s - 1.0)
    assert pace.lead_s(1) == pytest.approx(up_s - 0.1)
