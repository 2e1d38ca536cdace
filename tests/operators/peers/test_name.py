"""What users call peers, and what their names stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from operators.backbones.statistics import IMAGENET
from operators.errors import UsageError
from operators.peers.name import PeerName
from operators.peers.recipe import CLIP, recipe_of


def test_a_name_has_a_family_a_model_and_perhaps_a_file():
    dino = PeerName.parse("timm:vit_small_patch16_224.dino=weights/a=b.pth")
    assert dino == PeerName("timm", "vit_small_patch16_224.dino", Path("weights/a=b.pth"))
    assert str(dino) == "timm:vit_small_patch16_224.dino"
    assert PeerName.parse("open_clip:ViT-B-16") == PeerName("open_clip", "ViT-B-16")
    assert PeerName.parse("pixels:8x8").family == "pixels"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("vit_small_patch16_224", "want FAMILY:MODEL"),
        ("hub:vit_small", "one of timm, ibot, open_clip, pixels"),
        ("timm:", "want FAMILY:MODEL"),
        ("timm:vit_small_patch16_224.dino=", "want FAMILY:MODEL"),
        ("pixels:4x4", "pixels are pixels:8x8, without a file"),
        ("pixels:8x8=weights.pth", "pixels are pixels:8x8, without a file"),
    ],
)
def test_what_is_no_name_is_refused(text, said):
    with pytest.raises(UsageError, match=said):
        PeerName.parse(text)


def test_every_family_has_its_own_statistics():
    assert recipe_of(PeerName.parse("ibot:vit_base")).statistics == IMAGENET
    clip = recipe_of(PeerName.parse("open_clip:ViT-B-16-quickgelu"))
    assert clip.timm == "vit_base_patch16_clip_quickgelu_224"
    assert clip.statistics == CLIP
    assert recipe_of(PeerName.parse("timm:a.b")).statistics is None, "those of its tag"


def test_a_model_that_a_family_does_not_have_is_named_with_those_that_it_has():
    with pytest.raises(UsageError, match=r"unknown open_clip:ViT-B16\. Did you mean ViT-B-16\?"):
        recipe_of(PeerName.parse("open_clip:ViT-B16"))
    with pytest.raises(UsageError, match="ibot has: vit_small, vit_base, vit_large"):
        recipe_of(PeerName.parse("ibot:swin"))
