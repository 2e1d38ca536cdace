"""Which kept frames a rule takes: those that it took, and no others are guessed."""

import pytest

from operators.errors import UsageError
from pipeline.archive.rules import ALL, check_rules, masks
from pipeline.stream.sampling import Sampling

KEPT = ("fps:5", "fps:2", "every:3")


def test_a_rule_takes_what_it_took():
    of = masks(KEPT, (Sampling("every", 3), Sampling("fps", 5)))
    assert [of(taken) for taken in (0b001, 0b010, 0b100, 0b101)] == [0b10, 0, 0b01, 0b11]


def test_all_takes_whatever_was_kept():
    of = masks(KEPT, (ALL, Sampling("fps", 2)))
    assert [of(taken) for taken in (0b001, 0b010)] == [0b01, 0b11]


def test_a_rule_that_would_take_others_is_refused():
    check_rules(KEPT, (ALL, Sampling("fps", 2.0)))
    with pytest.raises(UsageError, match=r"frames by fps:5, fps:2, every:3, and fps:1 would"):
        check_rules(KEPT, (Sampling("fps", 1),))
