"""Every frame is counted once, and the steps lead from all of them to the pictures."""

import numpy as np

from pipeline.curate.funnel import Funnel, Step
from pipeline.curate.selection import Decision


def decisions(**counts):
    return [Decision(verdict, verdict) for verdict, count in counts.items() for _ in range(count)]


def test_each_step_says_what_is_left_and_why(harvested):
    given = [harvested(np.eye(8), "gate"), harvested(np.eye(8)[:2], "yard", outcome="degraded")]
    given.append(harvested(np.zeros((0, 8)), "torn", outcome="rejected"))
    said = decisions(refused=1, duplicate=2, reference=1, far=3, surplus=1, taken=2)
    found = Funnel.of(given, said)
    assert (found.recordings, found.unreadable, found.damaged) == (3, 1, 1)
    assert list(found.steps()) == [
        Step("frames decoded", 100),
        Step("frames looked at", 50),
        Step("candidates, one per shot or part of it", 10),
        Step("let in by the filter", 9, "1 the filter refuses"),
        Step("without repetitions", 7, "2 repeat another one"),
        Step("like no reference picture", 6, "1 hang together with a reference picture"),
        Step("near to seeds", 3, "3 far from all seeds"),
        Step("pictures taken", 2, "1 more than the target"),
    ]
    assert found.refusals == {"refused": 1}


def test_steps_that_leave_all_are_left_out(harvested):
    found = Funnel.of([harvested(np.eye(8)[:3])], decisions(taken=3))
    assert [step.count for step in found.steps()] == [30, 15, 3, 3]
