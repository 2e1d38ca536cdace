"""A real camera's view, spoilt in every way that is told, and what only looks like it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.tamper import HARMLESS, SPOILT, Picture, Trial, pictures_of, to_and_fro
from operators.tamper.operator import Patience
from pipeline.features.backbone import open_backbone

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trial() -> Trial:
    patience = Patience(learn_s=4, least_s=4.5)  # longer than a lorry takes
    return Trial(open_backbone("dinov2_vitti14", "demo"), patience, clean_s=10, spoilt_s=6)


@pytest.fixture(scope="module")
def pictures(shared_media: Path) -> Sequence[Picture]:
    return pictures_of(str(shared_media / "videos" / "v_shooting_01_02.mpg"), 112)


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_view_is_told_as_what_it_is(
    trial: Trial, pictures: Sequence[Picture], name: str
) -> None:
    kind, spoil = SPOILT[name]
    assert trial.run(pictures, spoil).kinds == (kind,)


@pytest.mark.parametrize("name", HARMLESS)
def test_light_rain_and_lorries_are_not_told(
    trial: Trial, pictures: Sequence[Picture], name: str
) -> None:
    assert trial.run(pictures, HARMLESS[name]).kinds == ()


def test_a_clip_is_played_to_and_fro() -> None:
    assert list(to_and_fro(4, 10)) == [0, 1, 2, 3, 2, 1, 0, 1, 2, 3]
