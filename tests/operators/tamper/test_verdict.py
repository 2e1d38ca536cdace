"""Signs -> what is wrong, the first that is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operators.tamper.usual import Signs
from operators.tamper.verdict import CLEAR, LEAVE, SHARE, STRENGTH, verdict

NOTHING = Signs(0, 0, 0, 0, 0, 0, False)


@pytest.mark.parametrize(
    ("signs", "kind"),
    [
        (NOTHING, CLEAR),
        (replace(NOTHING, changed=0.8, layout=0.5), "moved"),
        (replace(NOTHING, changed=0.8, layout=0.1), CLEAR),  # the weights see the same view
        (replace(NOTHING, changed=0.6, layout=1), CLEAR),  # part of the view is hidden
        (replace(NOTHING, changed=1, flat=0.9, layout=0.9), "covered"),
        (replace(NOTHING, changed=1, flat=0.9, soft=0.9), "covered"),
        (replace(NOTHING, changed=0.2, soft=0.5), "defocused"),
        (replace(NOTHING, bright=0.8, changed=1, flat=1), "blinded"),
        (replace(NOTHING, dark=0.8), "blinded"),
        (Signs(1, 1, 1, 1, 1, 1, True), "frozen"),
    ],
)
def test_what_is_wrong(signs: Signs, kind: str) -> None:
    assert verdict(signs, CLEAR, SHARE) == kind


@pytest.mark.parametrize(
    ("kind", "signs"),
    [
        ("moved", replace(NOTHING, changed=SHARE * LEAVE, layout=0.2 * SHARE * LEAVE)),
        ("covered", replace(NOTHING, changed=SHARE * LEAVE, flat=0.5)),
        ("defocused", replace(NOTHING, soft=0.4 * LEAVE)),
        ("blinded", replace(NOTHING, dark=0.7 * LEAVE)),
    ],
)
def test_what_is_wrong_ends_well_below_where_it_begins(kind: str, signs: Signs) -> None:
    assert verdict(signs, CLEAR, SHARE) == CLEAR
    assert verdict(signs, kind, SHARE) == kind


def test_every_kind_has_a_strength_from_0_to_1() -> None:
    assert [strength(NOTHING) for strength in STRENGTH.values()] == [0] * 5
    assert [strength(Signs(1, 1, 1, 1, 1, 1, True)) for strength in STRENGTH.values()] == [1] * 5
