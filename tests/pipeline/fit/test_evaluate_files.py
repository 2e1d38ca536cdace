"""Footage and pictures become what a head is measured on as the head's header says."""

from __future__ import annotations

import pytest

from operators.weights.heads import Head
from pipeline.fit.evaluate_files import pictured_examples, recorded_examples
from pipeline.fit.pictures import pictures_in_folders
from pipeline.fit.spans import clips_in_folders

FACTS = {"labels": ["background", "bright", "dark"], "fps": 5.0, "frames": 4, "stride": 2}


def quiet(what: str, done: int, total: int) -> None:
    """Nobody watches."""


@pytest.mark.slow
def test_a_head_with_background_is_measured_on_footage_without(two_kinds, tiny_backbone, tmp_path):
    examples = recorded_examples(
        clips_in_folders(str(two_kinds)),
        Head("action", "own", {}, "0" * 64, FACTS),
        tiny_backbone,
        short_side=28,
        cache=tmp_path / "cache",
        tell=quiet,
    )
    assert examples.labels == ("background", "bright", "dark")
    assert set(examples.targets.tolist()) == {1, 2}


def test_pictures_have_vectors_of_the_length_that_the_head_learnt(
    small_picture, tiny_backbone, tmp_path
):
    for kind in ("bright", "dark"):
        small_picture(tmp_path / "pictures" / kind / "0.png", kind)
    small_picture(tmp_path / "pictures" / "dark" / "@eaDir" / "0.png", "bright")  # a thumbnail
    pictures = pictures_in_folders(str(tmp_path / "pictures"))
    assert len(pictures) == 2
    shape = {"short_side": 28, "cache": tmp_path / "cache", "tell": quiet}
    for unit in (True, False):
        facts = {"labels": ["bright", "dark"], "unit_vectors": unit}
        head = Head("classify", "own", {}, "0" * 64, facts)
        assert pictured_examples(pictures, head, tiny_backbone, **shape).unit is unit
