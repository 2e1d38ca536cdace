"""Scaling inside the decoder against the long way: full-size RGB, pillow, the same backbone."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from operators.backbones.architectures import architecture
from operators.backbones.backbone import Backbone
from operators.frames import FrameBatch, FrameInfo
from operators.weights.load import load_backbone
from pipeline.media.frame_size import FrameSize
from pipeline.media.picture import Picture
from pipeline.media.scaler import Scaler

CLIPS = (
    "sam2_01_dog.mp4",
    "bangkok_half_res.mp4",
    "demo.mp4",
    "nasa_13013_hdr.mp4",
    "v_shooting_01_01.mpg",
    "video_90.mov",
)


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return Backbone(load_backbone(architecture("dinov2_vits14"), "random", seed=7), batch_size=1)


def class_token(backbone: Backbone, pixels: NDArray[np.uint8]) -> torch.Tensor:
    info = FrameInfo("s", "x", "0", 0, Fraction(1, 30), 0, 0, (1, 1))
    return backbone(FrameBatch((info,), pixels[None])).cls[0]


def long_way(picture: Picture, short_side: int) -> NDArray[np.uint8]:
    height, width = FrameSize(short_side, 14).of(picture.source_hw)
    rgb = picture.orientation.apply(picture.frame.to_ndarray(format="rgb24"))
    return np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.slow
@pytest.mark.parametrize("name", CLIPS)
def test_the_class_token_is_the_same(clips, shared_media: Path, backbone, name: str) -> None:
    for picture in clips.pictures(shared_media / "videos" / name, keyframes=True)[:2]:
        short, long = Scaler(FrameSize(224, 14))(picture), long_way(picture, 224)
        assert short.shape == long.shape
        cosine = torch.cosine_similarity(
            class_token(backbone, short), class_token(backbone, long), dim=0
        )
        assert cosine >= 0.99
