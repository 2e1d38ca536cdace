"""What is told of a yard's zones with a gate, beside what is told without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.gate.episodes import Episodes
from benchmarks.gate.yard import SAMPLED_FPS, Yard, samples

SECONDS = 12


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """Of a yard in which a body is under way."""
    folder: Path = tmp_path_factory.mktemp("yard")
    yard = Yard.made(seed=2, seconds=SECONDS, bodies=1, folder=folder)
    episodes = Episodes()
    episodes.add(yard, samples(yard.path))
    return episodes.summed()


@pytest.mark.slow
def test_without_a_gate_every_true_map_is_told_and_nothing_is_lost(told: dict[str, dict]):
    plain = told["0"]
    assert plain["computed"] == 1.0
    assert (plain["mIoU"], plain["AbsRel"]) == (1.0, 0.0)
    assert plain["frames"] == SECONDS * SAMPLED_FPS
    assert plain["stay"]["true"] > 0
    assert plain["stay"]["recall"] == 1.0


@pytest.mark.slow
def test_a_gate_computes_less_the_higher_it_is_and_holds_maps_that_are_older(
    told: dict[str, dict],
):
    low, high = (told[level] for level in ("4", "24"))
    assert high["computed"] < low["computed"] < 1
    assert high["mIoU"] < low["mIoU"]
    assert high["AbsRel"] > low["AbsRel"]
