import json

import pytest
import torch

from operators.weights.header import read_header

SMALL = (
    *("--model", "dinov2_vitti14_6", "--steps", 2, "--batch", 2, "--global-size", 28),
    *("--local-size", 14, "--local-crops", 1, "--prototypes", 8, "--every", 0.4, "--apart", 0),
    *("--threads", 1, "--keep-copies"),
)
SCENES = [f"synthetic:world?seed={seed}&seconds=1&fps=5&size=64x48" for seed in (1, 2, 3)]


@pytest.fixture(autouse=True)
def threads():
    """The command sets those of its process."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
def test_scenes_become_weights_that_a_job_takes(dinostream, tmp_path):
    done = dinostream("pretrain", *SCENES, *SMALL, "-o", "run", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["weights"] == "backbone.safetensors"
    assert report["gathered"]["sources"] == 3
    weights = ("--model", "dinov2_vitti14_6", "--weights", "run/backbone.safetensors")
    job = ("--operator", "embedding", "--short-side", 56, "--runtime", "inline")
    replayed = dinostream("replay", SCENES[0], *weights, *job, "--sink", "sqlite:a.db")
    assert replayed.returncode == 0, replayed.stderr
    assert read_header(tmp_path / "run/backbone.safetensors") == {"rendered": True}


@pytest.mark.slow
def test_a_source_that_cannot_be_read_is_told_and_the_rest_is_trained_on(dinostream, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    done = dinostream("pretrain", *SCENES, "broken.mp4", *SMALL, "-o", "run")
    assert done.returncode == 3
    assert "broken.mp4" in done.stderr
    assert "the backbone is in run/backbone.safetensors" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing-there", "-o", "run"], "nothing-there"),
        (["a.mp4", "-o", "run", "--teacher-model", "dinov2_vits14"], "--teacher-model wants"),
        (["a.mp4", "-o", "run", "--teacher", "auto"], "--teacher-model, such as dinov2_vitb14"),
        (["a.mp4", "-o", "run", "--batch", "1"], "--batch"),
        (["a.mp4", "-o", "run", "--held-out", "0"], "--held-out"),
        (["a.mp4", "-o", "run", "--teacher", "demo", "--prototypes", "9"], "--prototypes"),
        (["a.mp4", "-o", "run", "--teacher", "demo", "--gram", "1"], "--gram and --teacher"),
        (["a.mp4", "-o", "run", "--global-size", "100"], "--global-size 100"),
        (["a.mp4", "-o", "run", "--drop", "1"], "--drop"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(dinostream, words, said):
    done = dinostream("pretrain", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
