"""`dinostream weights`: the list, and a look into files that are what they say or are not."""

import json
import pickle

import pytest
import torch
from safetensors.torch import save_file

from operators.backbones.architectures import architecture
from operators.backbones.random_weights import random_tensors
from operators.backbones.vit import VisionTransformer
from operators.depth.dpt_layouts import depth_anything_dpt, file_shapes
from operators.learn.head_file import write_head
from operators.weights.header import SHIPPED
from pipeline.cli import weights


def test_the_list_has_every_official_file(dinostream):
    done = dinostream("weights", "list", "--json")
    assert done.returncode == 0
    files = [json.loads(line) for line in done.stdout.splitlines()]
    small = next(one for one in files if (one["model"], one["head"]) == ("dinov2_vits14", None))
    assert small["sha256"].startswith("b938bf1bc15c")
    assert small["size_bytes"] == 88_283_115
    assert not any(one["cached"] for one in files)
    lines = dinostream("weights", "list").stdout.splitlines()
    assert len(lines) == len(files)
    shown = [line for line in lines if "depth-anything-v2" in line]
    assert [line.split()[-1] for line in shown] == 3 * ["Apache-2.0", *2 * ["CC-BY-NC-4.0"]]
    assert [line.split()[-1] for line in lines if "depth da3" in line] == 2 * ["Apache-2.0"]
    by_hand = [line for line in lines if line.startswith("dinov3_")]
    assert len(by_hand) == 9
    assert all("LicenseRef-DINOv3  by hand: https://ai.meta.com/" in line for line in by_hand)


def test_weights_behind_a_form_are_not_fetched(dinostream):
    done = dinostream("weights", "fetch", "dinov3_vits16")
    assert done.returncode == 2
    assert "are not fetched: their licence is to be accepted by a person" in done.stderr


def test_the_list_has_what_a_user_may_bring_with_its_licence(dinostream):
    files = map(json.loads, dinostream("weights", "list", "--json").stdout.splitlines())
    brought = {one["model"]: one for one in files if "option" in one}
    assert brought["sam-vit-base"]["option"] == "--weights-sam"
    assert brought["grounding-dino-tiny"]["purpose"] == "ground"
    assert {one["licence"] for one in brought.values()} == {"Apache-2.0"}


def test_a_head_that_does_not_exist_is_bad_usage(dinostream):
    done = dinostream("weights", "fetch", "dinov2_vits14_reg", "--head", "depth=nyu-linear")
    assert done.returncode == 2
    assert "dinov2_vits14" in done.stderr


@pytest.fixture
def backbone(tmp_path):
    path = tmp_path / "vitti.safetensors"
    save_file(random_tensors(architecture("dinov2_vitti14"), 0), path)
    return path


@pytest.mark.slow
def test_inspect_tells_which_model_a_file_fits(dinostream, backbone):
    done = dinostream("weights", "inspect", backbone, "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["model"] == "dinov2_vitti14"
    assert facts["format"] == "safetensors"
    assert facts["layout"] == "upstream"
    assert facts["tensors"]["cls_token"] == [1, 1, 192]
    assert "model: dinov2_vitti14" in dinostream("weights", "inspect", backbone).stdout


def test_inspect_says_when_a_file_fits_no_model(dinostream, tmp_path):
    path = tmp_path / "head.pth"
    torch.save({"decode_head.conv_seg.weight": torch.zeros(21, 384, 1, 1)}, path)
    done = dinostream("weights", "inspect", path)
    assert done.returncode == 0
    assert "no backbone that dinostream knows" in done.stdout
    assert "PyTorch" in done.stdout


@pytest.mark.slow
def test_inspect_knows_a_whole_depth_anything(dinostream, tmp_path):
    arch = architecture("dinov2_vits14")
    with torch.device("meta"):
        empty = VisionTransformer(arch).state_dict()
    whole = {f"pretrained.{name}": torch.zeros(one.shape) for name, one in empty.items()}
    shapes = file_shapes(depth_anything_dpt(arch))
    torch.save(whole | {n: torch.zeros(s) for n, s in shapes.items()}, tmp_path / "whole.pth")
    done = dinostream("weights", "inspect", tmp_path / "whole.pth")
    assert "Depth Anything V2 layout" in done.stdout
    assert "model: dinov2_vits14" in done.stdout


def test_inspect_tells_what_a_head_is_for_and_how_good_it_is(dinostream, tmp_path):
    facts = {
        **{"backbone": "a" * 64, "model": "dinov2_vitti14", "labels": ["wave", "fall"]},
        **{"fps": 5.0, "frames": 8, "stride": 4, "short_side": 112, "filter": "bicubic"},
        "metrics": {
            "top1": {"value": 0.9, "low": 0.8, "high": 0.95},
            "measured_on": "test, 12 files",
        },
        "trained": {"chosen": "mean, 1 block"},
        **{"data": "0123456789ab" * 4, "sources": ["a" * 12, "b" * 12]},
    }
    path = tmp_path / "action.safetensors"
    write_head(path, "action", {"x": torch.zeros(1)}, facts)
    lines = dinostream("weights", "inspect", path).stdout.splitlines()[2:]
    assert lines == [
        "head: action, 2 classes: wave, fall",
        "  sampling: 5 frames/s, windows of 8 frames (1.6 s), one every 4 frames",
        "  frames: short side 112 px, scaled by bicubic",
        f"  backbone: dinov2_vitti14 with sha256 {'a' * 64}",
        "  trained: mean, 1 block, of 2 files or scenes, data 0123456789ab",
        "  measured on test, 12 files:",
        "                 top1  0.900  (95 %: 0.800 to 0.950)",
    ]
    said = json.loads(dinostream("weights", "inspect", path, "--json").stdout)
    assert said["heads"] == [{"format": 1, "operator": "action", **facts}]
    write_head(path, "depth", {"x": torch.zeros(1)}, {"backbone": "a" * 64, "range_m": [0.001, 80]})
    told = dinostream("weights", "inspect", path).stdout
    assert "head: depth, 0.001 m to 80 m" in told
    assert "measured: nothing" in told


def test_inspect_tells_all_that_the_demo_weights_hold(dinostream):
    told = dinostream("weights", "inspect", SHIPPED).stdout
    assert "model: dinov2_vitti14" in told
    heads = [line.split()[1].rstrip(",") for line in told.splitlines() if line.startswith("head:")]
    assert sorted(heads) == ["action", "depth", "detect", "segmentation"]
    assert told.count("backbone: dinov2_vitti14 in this file") == len(heads)


class Trap:
    def __reduce__(self):
        return (open, ("sprung", "w"))


def test_inspect_runs_nothing_that_a_file_asks_for(dinostream, tmp_path):
    path = tmp_path / "trap.pth"
    path.write_bytes(pickle.dumps({"weight": Trap()}, protocol=2))
    done = dinostream("weights", "inspect", path)
    assert done.returncode == 2
    assert "refused" in done.stderr
    assert not (tmp_path / "sprung").exists()


def test_a_download_is_announced_by_tenths(capsys):
    announce = weights._announcer("vits14.pth")
    for done in range(0, 101, 5):
        announce(done * 10**6, 10**8)
    announce(5, None)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[0] == "vits14.pth: 10 of 100 MB"
