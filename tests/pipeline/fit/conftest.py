"""Small clips and pictures of two kinds, written here, and a tiny backbone to look at them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from operators.backbones.backbone import Backbone
from pipeline.fit.feature_store import FeatureStore
from pipeline.fit.glance import open_backbone
from pipeline.media.encode import write_clip

MODEL = "dinov2_vitti14"
SHORT_SIDE = 28


def painted(kind: str, number: int, step: int = 0) -> NDArray[np.uint8]:
    """A picture `[48, 64, 3]` of a kind: stripes that stand (`bars`) or lie (`rows`), grey, or grey
    that is `dark` or `bright`, which random weights tell apart."""
    draw = np.random.default_rng([number, step])
    low = {"dark": 5, "bright": 210}.get(kind, 90)
    picture = draw.integers(low, low + 40, (48, 64, 3))
    if kind == "bars":
        picture[:, (number + step) % 8 :: 8] = 250
    elif kind == "rows":
        picture[(number + step) % 8 :: 8] = 250
    return picture.astype(np.uint8)


@pytest.fixture(scope="session")
def small_clip() -> Callable[..., Path]:
    """`small_clip(path, "bars", number=3)`: 2 s at 10 frames/s for each kind, in order."""

    def written(path: Path, *kinds: str, number: int = 0, frames: int = 20) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        pictures = (painted(kind, number, step) for kind in kinds for step in range(frames))
        write_clip(path, pictures, fps=10)
        return path

    return written


@pytest.fixture(scope="session")
def small_picture() -> Callable[..., Path]:
    """`small_picture(path, "bars", 3)`: a PNG."""

    def written(path: Path, kind: str, number: int = 0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(painted(kind, number)).save(path)
        return path

    return written


@pytest.fixture
def two_kinds(tmp_path: Path, small_clip: Callable[..., Path]) -> Path:
    """A folder with two folders of three clips each."""
    for kind in ("bright", "dark"):
        for number in range(3):
            small_clip(tmp_path / "clips" / kind / f"{number}.mp4", kind, number=number)
    return tmp_path / "clips"


@pytest.fixture(scope="session")
def tiny_backbone() -> Iterator[Backbone]:
    """The smallest model with random weights."""
    backbone = open_backbone(MODEL, "random", threads=2)
    yield backbone
    backbone.close()


@pytest.fixture
def store(tmp_path: Path, tiny_backbone: Backbone) -> Iterator[FeatureStore]:
    """An empty store."""
    store = FeatureStore(tmp_path / "features", tiny_backbone, short_side=SHORT_SIDE)
    yield store
    store.close()
