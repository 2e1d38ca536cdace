"""`dinostream demo` in an empty folder; the first thing that a user does is a real process."""

import json
from dataclasses import replace

import pytest
from PIL import Image

from pipeline.demo import clip
from pipeline.demo.clip import rendered_clip
from pipeline.synthetic.scene import open_scene
from pipeline.synthetic.uri import SceneSpec

SMALL = ("--runtime", "inline", "--weights", "random", "--model", "dinov2_vitti14")
SCENE = SceneSpec(seed=29, seconds=1.0, fps=10, size_wh=(160, 90))


@pytest.fixture
def own_clip(tmp_path):
    rendered_clip(tmp_path / "own", lambda text: None, scene=SCENE)
    return (tmp_path / "own" / "scene.mp4").rename(tmp_path / "own" / "my clip.mp4")


@pytest.mark.slow
def test_my_own_clip_becomes_records_and_a_picture(process, dinostream, own_clip, tmp_path):
    done = process("demo", own_clip, *SMALL)
    assert done.returncode == 0, done.stderr
    assert "5 frames in" in done.stdout
    assert f"make demo CLIP='{own_clip}' FRESH=1" in done.stdout
    with Image.open(tmp_path / "results" / "demo.png") as image:
        assert image.width == 1600
    (command,) = (line for line in done.stdout.splitlines() if line.startswith("one of them"))
    words = command.split("`")[1].split()
    told = dinostream(*words[1:])
    assert json.loads(told.stdout)["id"] in done.stdout

    again = dinostream("demo", own_clip, *SMALL)
    assert again.returncode == 0, again.stderr
    assert "complete: all 5 frames" in again.stdout


@pytest.mark.slow
def test_without_a_clip_a_scene_is_rendered(dinostream, tmp_path, monkeypatch):
    monkeypatch.setattr(clip, "SHOWN", replace(clip.SHOWN, seconds=0.6, size_wh=(160, 90)))
    done = dinostream("demo", *SMALL)
    assert done.returncode == 0, done.stderr
    assert "rendering results/scene.mp4: 0.6 s, 160x90, 30 frames/s" in done.stdout
    assert "3 frames in" in done.stdout
    assert {path.name for path in (tmp_path / "results").iterdir()} >= {
        "scene.mp4", "demo.db", "demo.png",
    }  # fmt: skip


def test_the_scene_that_is_shown_can_be_rendered_to_its_end():
    scene = open_scene(clip.SHOWN)
    assert scene.frame_count == 192
    assert {scene.render(number).rgb.shape for number in (0, 191)} == {(360, 640, 3)}


@pytest.mark.parametrize("source", ["absent.mp4", "rtsp://camera/1", "synthetic:rom", "."])
def test_a_clip_that_is_none_is_one_clear_line_and_exit_code_2(dinostream, source):
    done = dinostream("demo", source, *SMALL)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "bug" not in done.stderr


@pytest.mark.slow
def test_an_unknown_model_is_bad_usage(dinostream, own_clip):
    done = dinostream("demo", own_clip, "--weights", "random", "--model", "dinov3")
    assert done.returncode == 2
    assert "dinov2_vits14" in done.stderr
