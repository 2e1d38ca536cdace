"""`dinostream render` as a real process."""

import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from operators.weights import load
from pipeline.media.encode import write_clip
from pipeline.media.plain import plain_frames
from pipeline.render.layout import arranged

CLIP = "synthetic:world?seed=3&seconds=2&fps=10&size=160x90"
SMALL = ("--weights", "random", "--model", "dinov2_vitti14", "--short-side", "28")
FEW = ("--set", "sampling.fps=2", "--fps", "4")


@pytest.mark.slow
def test_from_a_recording_to_a_film_and_from_its_records_once_more(dinostream, tmp_path):
    done = dinostream("render", CLIP, *SMALL, *FEW, "--sink", "sqlite:r.db", "-o", "a.mp4", "--png")
    assert done.returncode == 0, done.stderr
    drawn = "8 frames of world-3: depth, segmentation, pca, action of dinov2_vitti14-"
    assert done.stdout.startswith(drawn)
    assert done.stdout.splitlines()[1:] == ["a.mp4", "a.png"]
    assert len(list(plain_frames(str(tmp_path / "a.mp4"), 4))) == 8
    with Image.open(tmp_path / "a.png") as image:
        assert image.width == 1600

    again = dinostream("render", CLIP, *SMALL, *FEW, "--sink", "sqlite:r.db", "-o", "b.png")
    assert again.returncode == 0, again.stderr
    assert "the records are there already, in sqlite:r.db" in again.stderr
    told = dinostream(
        *("render", "sqlite:r.db", "--source", CLIP, "--operator", "depth"),
        *("--layout", "blend", "-o", "c.gif", "--fps", "4"),
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("8 frames of world-3: depth of dinov2_vitti14-")
    with Image.open(tmp_path / "c.gif") as image:
        assert image.n_frames == 8
    other = dinostream("render", "sqlite:r.db", "--source", CLIP.replace("=3", "=4"), "-o", "d.mp4")
    assert other.returncode == 2
    assert "the very file that the records were made from" in other.stderr
    assert not list(tmp_path.glob("d.*"))


@pytest.mark.slow
def test_records_of_other_weights_are_not_those_of_this_run(dinostream, tmp_path):
    one, other = (
        (CLIP, *SMALL, "--seed", seed, *FEW, "--operator", "pca", "--sink", "sqlite:r.db")
        for seed in "12"
    )
    said = [dinostream("render", *run, "-o", "a.png") for run in (one, other, one)]
    assert [done.returncode for done in said] == [0, 0, 0], said[-1].stderr
    models = [done.stdout.splitlines()[0].rpartition(" ")[2] for done in said]
    assert models[0] == models[2] != models[1]
    assert ["are there already" in done.stderr for done in said] == [False, False, True]
    told = dinostream("render", "sqlite:r.db", "--source", CLIP, "-o", "b.png")
    assert f"drawn is {models[1]}, there are records of {models[0]} too" in told.stderr
    chosen = ("--model", models[0], "-o", "b.png")
    told = dinostream("render", "sqlite:r.db", "--source", CLIP, *chosen)
    assert told.stdout.splitlines()[0].endswith(f"frames of world-3: pca of {models[0]}")


@pytest.mark.slow
def test_a_picture_of_one_moment_analyses_what_it_needs_and_loads_the_backbone_once(
    dinostream, tmp_path, monkeypatch
):
    loaded = []
    filled = load.filled_model
    monkeypatch.setattr(load, "filled_model", lambda *given: loaded.append(1) or filled(*given))
    long = CLIP.replace("seconds=2&fps=10", "seconds=6&fps=5")
    few = ("--set", "sampling.fps=5", "--operator", "segmentation", "--operator", "action")
    few += ("--set", "operators.action.frames=4", "--set", "operators.action.stride=2")
    done = dinostream("render", long, *SMALL, *few, "--at", "3", "-o", "part.png")
    assert done.returncode == 0, done.stderr
    assert "analysed 15 frames from 1.6 s to 4.3 s" in done.stderr
    assert loaded == [1]
    whole = (*SMALL, *few, "--sink", "sqlite:r.db", "--at", "3", "-o", "whole.png")
    assert dinostream("render", long, *whole).returncode == 0
    with Image.open(tmp_path / "part.png") as part, Image.open(tmp_path / "whole.png") as all_:
        video, _, action = arranged(3, (90, 160)).cells  # colours of classes go by their shares
        for cell in (video, action):
            assert np.array_equal(*(np.asarray(one.crop(cell.box)) for one in (part, all_)))


@pytest.mark.slow
def test_without_a_sink_nothing_is_left_but_the_film(dinostream, tmp_path):
    done = dinostream("render", CLIP, *SMALL, *FEW, "--operator", "pca", "-o", "a.png")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".cache"] == ["a.png"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("sqlite:r.db",), "with --source"),
        (("sqlite:r.db", "--source", CLIP, "--sink", "sqlite:x.db"), "leave out --sink"),
        (("sqlite:r.db", "--source", CLIP), "r.db"),
        ((CLIP, "--source", CLIP), "is a recording itself"),
        ((CLIP, "--variant", "0123456789ab"), "--variant is for records of a SINK"),
        ((CLIP, "--operator", "dept"), "did you mean depth?"),
        ((CLIP, "--operator", "embedding"), "there are: depth, segmentation, pca, anomaly, action"),
        (("absent.mp4",), "no such file or folder: absent.mp4"),
        ((CLIP, "-o", "absent/out.mp4"), "cannot write absent/out.mp4"),
        ((CLIP, "-o", "out.avi"), "can write .mp4, .gif, .png"),
        ((CLIP, "--fps", "0"), "--fps"),
        ((CLIP, "--at", "99", "-o", "out.png"), "--at 99: the footage ends at 2.0 s"),
        ((CLIP, "--at", "2.5", "--png"), "--at 2.5: the footage ends at 2.0 s"),
    ],
)
def test_bad_usage_is_exit_code_2_before_anything_is_done(dinostream, tmp_path, arguments, why):
    done = dinostream("render", *arguments, *SMALL)
    assert done.returncode == 2
    assert why in done.stderr
    assert "bug" not in done.stderr
    assert not list(tmp_path.glob("*.mp4"))


def test_a_head_that_is_not_there_is_told_before_weights_are_fetched(dinostream, monkeypatch):
    monkeypatch.setattr(load, "fetch", lambda *_, **__: pytest.fail("it fetches"))
    done = dinostream("render", CLIP, "--sink", "sqlite:n.db", "--head", "depth=typo")
    assert done.returncode == 2
    assert "no official depth head 'typo'" in done.stderr


def test_a_film_never_takes_the_place_of_its_recording(dinostream, tmp_path):
    clip = tmp_path / "a.mp4"
    write_clip(clip, np.zeros((4, 64, 64, 3), np.uint8), 4)
    content = clip.read_bytes()
    done = dinostream("render", "a.mp4", *SMALL, "-o", "./a.mp4")
    assert done.returncode == 2
    assert "a.mp4 is the recording itself" in done.stderr
    assert clip.read_bytes() == content


def test_help_shows_an_example(dinostream):
    done = dinostream("render", "--help")
    assert "Example: dinostream render clip.mp4" in done.stdout


@pytest.mark.slow
def test_interrupted_it_leaves_no_film(dinostream, environment, tmp_path):
    made = dinostream("replay", CLIP, *SMALL, "--operator", "pca", "--runtime", "inline")
    assert made.returncode == 0, made.stderr
    command = ["render", "sqlite:results.db", "--source", CLIP, "--fps", "60", "-o", "a.mp4"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", *command],
        stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment,
    )  # fmt: skip
    while not list(tmp_path.glob("a.mp4.part")):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in said
    assert list(tmp_path.glob("a.mp4*")) == []
