"""A file of boxes by Grounding DINO: its lines are of the frames that a replay takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from operators.detect.told_boxes import ToldBoxes
from operators.errors import UsageError
from operators.outside.grounding import Asked, GroundingDino
from pipeline.configuration.sources import plan_recordings
from pipeline.features.recorded import recorded_spec
from pipeline.media.frame_size import FrameSize
from pipeline.prompts.frame import frames_of
from pipeline.prompts.grounded import ground

pytestmark = pytest.mark.slow

ASKED = Asked.of(["cat", "red car"], 0.4, 0.5)


@pytest.fixture(scope="module")
def yard(small_clip, tmp_path_factory) -> Path:
    return small_clip(tmp_path_factory.mktemp("grounded") / "yard.mp4", "bars", frames=10)


def test_every_sampled_frame_has_its_line_and_what_cannot_be_read_is_told(
    dino_folder, yard, tmp_path
):
    (tmp_path / "notes.mp4").write_text("buy milk\n")
    plans = plan_recordings([str(yard), str(tmp_path / "notes.mp4")])
    dino = GroundingDino.load(dino_folder)
    said: list[str] = []
    done = ground(plans, dino, ASKED, tmp_path / "boxes.jsonl", fps=5, tell=said.append)
    head, *lines = map(json.loads, (tmp_path / "boxes.jsonl").read_text().splitlines())
    assert head["detector"] == dino.identity(ASKED)
    assert head["detector"]["sha256"] == dino.given.sha256
    assert head["labels"] == ["cat", "red car"]
    assert list(done.trouble) == ["notes.mp4"]
    assert done.frames == len(lines) == len(said) == 5
    assert done.things.total() == sum(len(line["objects"]) for line in lines) > 0
    told = ToldBoxes(tmp_path / "boxes.jsonl")
    for info, pixels in frames_of(recorded_spec(plans[0], FrameSize(48, patch=1), 5)):
        found = told.of(info)
        assert found is not None
        for thing, one in zip(found.things, dino.boxes(pixels, ASKED), strict=True):
            assert thing.box == pytest.approx(one.box, abs=0.006)
            assert (thing.name, thing.score) == (one.name, pytest.approx(one.score, abs=1e-6))


def test_footage_that_is_none_leaves_no_file(dino_folder, tmp_path):
    (tmp_path / "notes.mp4").write_text("buy milk\n")
    plans, dino = plan_recordings([str(tmp_path / "notes.mp4")]), GroundingDino.load(dino_folder)
    with pytest.raises(UsageError, match="no frame of 1 recordings can be decoded"):
        ground(plans, dino, ASKED, tmp_path / "boxes.jsonl", fps=5, tell=lambda _: None)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.mp4"]
