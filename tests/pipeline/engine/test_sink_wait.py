"""What a stream has waited for its sink."""

from __future__ import annotations

from pipeline.engine.sink_wait import REMEMBERED, SinkWait


def test_what_lies_behind_a_moment_counts_and_nothing_else() -> None:
    wait = SinkWait()
    wait.begin(1.0)
    wait.begin(2.0)
    assert wait.after(0.0) == 0.0, "it is not over"
    wait.end(3.0)
    wait.begin(10.0)
    wait.end(11.5)
    assert [wait.after(moment_s) for moment_s in (0.0, 2.5, 5.0, 11.0, 12.0)] == [
        *(3.5, 2.0, 1.5, 0.5, 0.0)
    ]


def test_an_answer_that_was_there_before_it_was_waited_for_costs_nothing() -> None:
    wait = SinkWait()
    wait.end(1.0)
    wait.begin(3.0)
    wait.end(2.0)
    assert wait.after(0.0) == 0.0


def test_what_nobody_asks_for_takes_no_memory() -> None:
    wait = SinkWait()
    for now_s in range(1000):
        wait.begin(now_s)
        wait.end(now_s + 0.5)
    assert wait.after(0.0) == 0.5 * REMEMBERED
