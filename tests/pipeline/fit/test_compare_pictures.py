"""Contenders on pictures of two classes: both protocols, on pictures that were not learnt from."""

from __future__ import annotations

import pytest

from operators.errors import UsageError
from operators.learn import sweep
from operators.peers.name import PeerName
from pipeline.fit.compare_pictures import PictureTrial, measure_pictures
from pipeline.fit.compare_table import comparison_table
from pipeline.fit.contender import Beside, Ours
from pipeline.fit.pictures import pictures_in_folders

KINDS = ("bright", "dark")


def quiet(what: str, done: int, total: int) -> None:
    """Nobody watches."""


@pytest.fixture
def pictures(tmp_path, small_picture):
    """`pictures("train", 10)`: so many of each kind, none of them twice."""
    made = iter(range(1000))

    def draw(folder, count, kinds=KINDS):
        for kind in kinds:
            for _ in range(count):
                number = next(made)
                small_picture(tmp_path / folder / kind / f"{number}.png", kind, number)
        return pictures_in_folders(str(tmp_path / folder))

    return draw


@pytest.fixture
def few_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "_STEPS", 20)


@pytest.mark.slow
def test_light_and_dark_are_told_apart_by_pixels_and_by_weights(pictures, few_epochs, tmp_path):
    trial = PictureTrial(pictures("train", 10), pictures("held", 4), 28, tmp_path / "cache")
    contenders = (Ours("dinov2_vitti14", "random"), Beside(PeerName.parse("pixels:8x8")))
    measured = [measure_pictures(trial, one, tell=quiet) for one in contenders]
    for one in measured:
        assert list(one.evaluations) == ["classify", "classify, nearest neighbours"]
        for evaluation in one.evaluations.values():
            assert (evaluation.samples, evaluation.groups, evaluation.given_to_fit) == (8, 8, 0)
            assert evaluation.labels == KINDS
            assert evaluation.estimates["top1"].value == 1.0
            assert evaluation.constant["top1"].value == 0.5
    assert comparison_table(measured)[0].endswith(
        "| classify: top-1 | classify, nearest neighbours: top-1 |"
    )


def test_a_class_that_nothing_is_learnt_of_is_named(pictures, tmp_path):
    train, held_out = pictures("train", 2), pictures("held", 1, kinds=("bright", "bars"))
    with pytest.raises(UsageError, match="pictures to measure on are of bars; what is learnt from"):
        PictureTrial(train, held_out, 28, tmp_path)


@pytest.mark.slow
def test_too_few_pictures_are_refused(pictures, tmp_path):
    trial = PictureTrial(pictures("train", 1), pictures("held", 1), 28, tmp_path)
    with pytest.raises(UsageError, match="2 pictures are too few to learn 2 classes from"):
        measure_pictures(trial, Beside(PeerName.parse("pixels:8x8")), tell=quiet)
