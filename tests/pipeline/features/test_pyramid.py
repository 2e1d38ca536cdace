"""Features of a pyramid for training: its last map alone, and what wants more refuses it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from operators.backbones.architectures import architecture
from operators.errors import UsageError
from operators.frames import FrameInfo
from operators.learn.depth_head import depth_blocks
from operators.weights.load import load_backbone
from pipeline.features.backbone import feature_backbone, kept_blocks
from pipeline.features.glance import Glance
from pipeline.fit.contender import blocks_read
from pipeline.fit.fit_segmentation import segmentation_blocks
from pipeline.pretrain.start import require_trained_here

TINY = architecture("swin_tiny_patch4_window7_224")
SMALL = replace(TINY, name="swin_256", width=256, heads=8, stages=(1, 1, 1, 1))


def test_a_store_keeps_its_one_class_token_and_its_patches() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3), dtype=np.uint8)
    infos = (FrameInfo.of_picture(),) * 2
    with closing(feature_backbone(load_backbone(SMALL, "random"), threads=1)) as backbone:
        arrays = Glance(backbone)(pixels, infos, patches=True)

    assert kept_blocks(SMALL) == range(3, 4)
    assert arrays["vectors"].shape == (2, 2, 256), "its class token, and the mean patch"
    assert arrays["patches"].shape == (2, 2, 3, 256)
    np.testing.assert_allclose(arrays["vectors"][:, 0], arrays["vectors"][:, 1], atol=1e-5)


@pytest.mark.parametrize(
    ("what", "ask"),
    [
        ("a head over 4 blocks", lambda: depth_blocks(SMALL, 4)),
        ("a segmentation head over 4 blocks", lambda: segmentation_blocks(SMALL, 4)),
        ("pretraining", lambda: require_trained_here(SMALL)),
    ],
)
def test_what_wants_more_refuses_it(what: str, ask) -> None:
    with pytest.raises(UsageError, match=f"{what} wants blocks of one grid and one width"):
        ask()
    assert (depth_blocks(SMALL, 1), segmentation_blocks(SMALL, 1)) == ((3,), ())
    assert blocks_read(SMALL, 4) == 1
