"""`make verify-official`, as far as it goes without the internet: local files, a local upstream."""

from __future__ import annotations

import threading
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from benchmarks.verify_official import (
    RENDERED,
    UPSTREAM,
    Check,
    checks,
    compare,
    frames,
    ours,
    page,
    verify,
)
from operators.backbones.architectures import ARCHITECTURES
from operators.backbones.random_weights import random_tensors
from operators.frames import FrameBatch, FrameInfo
from operators.weights.catalogue import CATALOGUE, official_backbone, official_head
from operators.weights.depth_anything_files import WHOLE_MODELS
from operators.weights.load import load_backbone

MODEL = "dinov2_vits14_reg"  # upstream's file has no published hash, so a local one is taken


def test_every_official_head_that_hub_offers_is_checked():
    found = {(check.operator, check.head) for check in checks("dinov2_vitb14") if check.operator}
    official = {(f.purpose, f.head) for f in CATALOGUE if f.model == "dinov2_vitb14" and f.head}
    in_hub = {(kind, head) for kind, head in official if kind != "segmentation"}
    assert found == {(kind, head) for kind, head in in_hub if head not in WHOLE_MODELS}
    assert {check.operator for check in checks(MODEL)} == {"", "classify"}


def test_rendered_clips_give_frames_at_model_size():
    batches = list(frames(RENDERED[:2], 56))
    assert len(batches) == 2
    for batch in batches:
        assert batch.pixels.shape[1:3] == (56, 98)
        assert 1 <= len(batch.infos) <= 4


def test_the_comparison_finds_one_wrong_number():
    check = Check("_lc", 1e-3, "classify", "imagenet-linear")
    good = np.arange(12, dtype=np.float32).reshape(3, 4)
    off = good.copy()
    off[2, 1] += 0.5
    assert compare(check, "a" * 64, [(good, good), (good, good)]).agrees
    finding = compare(check, "a" * 64, [(good, good), (off, good)])
    assert (finding.largest, finding.numbers, finding.agrees) == (0.5, 24, False)
    broken = good.copy()
    broken[0, 0] = np.nan
    assert not compare(check, "a" * 64, [(broken, good)]).agrees
    with pytest.raises(ValueError, match=r"ours is \(3, 4\), upstream's \(3, 3\)"):
        compare(check, "a" * 64, [(good, good[:, :3])])
    text = page(MODEL, ["clips/a.mp4"], [finding, replace(finding, largest=1e-5)])
    assert "| classify imagenet-linear | `aaaaaaaaaaaa` | 24 | 5.0e-01 | 0.001 | **no** |" in text
    assert "| 1.0e-05 | 0.001 | yes |" in text
    assert UPSTREAM in text
    assert "- `a.mp4`" in text


class LocalUpstream(torch.nn.Module):
    """Upstream's classifier as its documentation says, on files of this machine."""

    def __init__(self, folder, layers, shift):
        super().__init__()
        self.shift, self.layers = shift, layers
        file = official_backbone(MODEL).file_name
        self.backbone = load_backbone(ARCHITECTURES[MODEL], str(folder / file)).model
        if layers:
            name = "imagenet-linear4" if layers == 4 else "imagenet-linear"
            self.head = torch.load(folder / official_head("classify", MODEL, name).file_name)

    def forward(self, pixels):
        normed, kept = self.backbone(pixels, (8, 9, 10))
        if not self.layers:
            return normed[:, 0]
        norm = self.backbone.norm
        earlier = [norm(kept[block][:, 0]) for block in (8, 9, 10)] if self.layers == 4 else []
        vector = torch.cat([*earlier, normed[:, 0], normed[:, 5:].mean(1)], dim=1)
        return vector @ self.head["weight"].T + self.head["bias"] + self.shift


@pytest.mark.parametrize("shift", [0.0, 0.01])
def test_files_of_this_machine_go_through_all_of_it(tmp_path, shift):
    arch = ARCHITECTURES[MODEL]
    torch.save(random_tensors(arch, 3), tmp_path / official_backbone(MODEL).file_name)
    for blocks, name in ((1, "imagenet-linear"), (4, "imagenet-linear4")):
        weight = torch.randn(1000, (1 + blocks) * arch.width, generator=torch.manual_seed(blocks))
        head = {"weight": weight * 0.02, "bias": torch.zeros(1000)}
        torch.save(head, tmp_path / official_head("classify", MODEL, name).file_name)

    def hub(entry, layers=0):
        assert entry == MODEL + ("_lc" if layers else "")
        return LocalUpstream(tmp_path, layers, shift)

    findings = verify(MODEL, RENDERED[:1], hub, short_side=56, cache_dir=tmp_path)

    assert [finding.name for finding in findings] == [
        "backbone, class token",
        "classify imagenet-linear",
        "classify imagenet-linear4",
    ]
    assert [finding.agrees for finding in findings] == [True, not shift, not shift]


def test_a_check_that_fails_leaves_no_thread_behind(tmp_path):
    loaded = load_backbone(ARCHITECTURES["dinov2_vitti14"], "random", cache_dir=tmp_path)
    info = FrameInfo("clip", "session", "0", 0, Fraction(1), 0, 0, (28, 28))
    batch = FrameBatch((info,), np.zeros((1, 28, 28, 3), np.uint8))
    before = set(threading.enumerate())

    def failing():
        with ours(Check("", 1e-3), loaded, tmp_path) as (sha256, numbers):
            assert (sha256, numbers(batch).shape) == (loaded.sha256, (1, 192))
            assert set(threading.enumerate()) > before
            raise RuntimeError("upstream is not well")

    with pytest.raises(RuntimeError, match="upstream is not well"):
        failing()
    assert set(threading.enumerate()) <= before
