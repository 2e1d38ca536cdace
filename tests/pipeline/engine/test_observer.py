"""Who took how long, as it is measured and as it is told."""

from __future__ import annotations

import pytest

from pipeline.engine.observer import BACKBONE, COMMIT, WAIT, StageSeconds, shares
from pipeline.testing import ManualClock


def test_stages_add_up_and_one_that_fails_counts_too() -> None:
    clock, seconds = ManualClock(), {}
    observer = StageSeconds(seconds, clock)
    for spent_s in (2.0, 3.0):
        with observer.stage(BACKBONE, 8):
            clock.advance(spent_s)

    def fail() -> None:
        with observer.stage("depth", 8):
            clock.advance(1.0)
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        fail()
    assert seconds == {BACKBONE: 5.0, "depth": 1.0}


def test_shares_are_of_the_loop_and_the_sink_is_told_beside() -> None:
    seconds = {"depth": 1.0, BACKBONE: 6.0, WAIT: 3.0, COMMIT: 2.5}
    assert shares(seconds) == "backbone 60%, waiting 30%, depth 10%, and beside them the sink 25%"
    assert shares({}) == "and beside them the sink 0%"
