"""A card's row wins over arithmetic."""

from __future__ import annotations

import pytest

from operators.backbones.engines import fused_choice as table
from operators.backbones.engines.fused_choice import (
    Measured,
    fused_choice,
    fused_in_words,
    fused_kernels,
)


def test_until_a_card_has_said_all_run_and_say_why() -> None:
    if not table.MEASURED:
        assert fused_kernels(90) == ("patches", "norm", "add_norm", "swiglu")
        assert fused_choice("add_norm", 90).why == "predicted: 2.7x fewer bytes than plain torch"


def test_what_a_card_has_measured_decides_on_cards_like_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {(90, "norm"): Measured(0.97, "2026-12-01"), (90, "swiglu"): Measured(1.5, "2026-12-01")}
    monkeypatch.setattr(table, "MEASURED", rows)
    assert fused_kernels(90) == ("patches", "add_norm", "swiglu")
    assert "norm" in fused_kernels(80)
    assert fused_choice("norm", 90).why == "measured on 2026-12-01: 0.97x of plain torch"
    said = fused_in_words(90)
    assert "norm does not run (measured on 2026-12-01: 0.97x of plain torch)" in said
    assert "add_norm runs (predicted: " in said
