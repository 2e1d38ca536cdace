"""Who runs when: fields take turns, the best so far runs along, a budget ends it."""

import math

from benchmarks.waves import Field, waves


def test_fields_take_turns_and_the_best_runs_along() -> None:
    letters, numbers = Field(list("abcde")), Field(list("12"))
    seen = []
    for field, wave in waves([letters, numbers], 2, math.inf):
        seen.append("".join(wave))
        field.best = wave[-1]
    assert seen == ["ab", "12", "bcd", "de"]
    assert (letters.best, numbers.best) == ("e", "2")


def test_a_field_without_a_best_goes_on_with_those_that_wait() -> None:
    assert [wave for _, wave in waves([Field(list("abc"))], 2, math.inf)] == [["a", "b"], ["c"]]


def test_a_budget_that_is_used_up_leaves_the_others_waiting() -> None:
    fields = [Field(list("abc")), Field(list("12"))]
    assert len(list(waves(fields, 2, 0.0))) == 1
    assert [field.waiting for field in fields] == [["c"], ["1", "2"]]
