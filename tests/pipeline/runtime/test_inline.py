"""What another thread sees of a run in this process."""

from __future__ import annotations

from types import SimpleNamespace

from pipeline.configuration.config import Config
from pipeline.engine.tally import Tally
from pipeline.runtime.inline import InlineRun


def test_a_tally_that_was_read_does_not_change() -> None:
    run = InlineRun(Config(), [], fresh=False, tell=lambda identity: None)
    assert run.tally == Tally()
    counted = Tally()
    run._shard = SimpleNamespace(tally=counted)  # type: ignore[assignment]
    before = run.tally
    counted.frames += 5
    counted.shares["a"] = 0.5
    counted.records["depth"] += 1
    assert before == Tally()
    assert run.tally == counted
