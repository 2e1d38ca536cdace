"""Adding up what engines did that came after each other."""

from __future__ import annotations

from pipeline.tally import Outcome, Tally


def test_a_stream_that_two_engines_saw_end_has_one_outcome() -> None:
    before = Tally(frames=5, outcomes=[Outcome("a", "degraded", "torn", decoded=9, lost=1)])
    after = Tally(frames=3, outcomes=[Outcome("a", "degraded", resumed=True), Outcome("b", "ok")])
    both = before + after
    assert both.frames == 8
    assert both.outcomes == [before.outcomes[0], after.outcomes[1]]
    again = Tally(outcomes=[Outcome("a", "ok", decoded=9)])
    assert (both + again).outcomes == [again.outcomes[0], after.outcomes[1]], "the newest counts"
