"""Rendered scenes with their truth, and as an engine sees them; all of it in memory."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from operators.backbones.backbone import Backbone
from operators.frames import Features, FrameBatch, FrameInfo
from pipeline.fit.scenes import Scenes, nearest
from pipeline.media.frame_size import FrameSize
from pipeline.synthetic.labels import SKY
from pipeline.synthetic.scene import open_scene

FPS, SECONDS = 5, 4.0

Pictures = Sequence[NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class Rendered:
    """One scene.

    Attributes:
        name: of it.
        pictures: its frames, `[H, W, 3]` each, of the backbone's size.
        depth_m: float32 `[n, h, w]` at the grid of the maps, 0 where there is none.
        classes: uint8 `[n, h, w]`.
        action: what happens in it.
    """

    name: str
    pictures: Pictures
    depth_m: NDArray[np.float32]
    classes: NDArray[np.uint8]
    action: str


def rendered(seeds: Sequence[int], size: FrameSize, cells: int) -> Iterator[Rendered]:
    """Scenes of `synthetic:world`.

    Args:
        seeds: of the scenes.
        size: of their frames.
        cells: of the truth, per side of a patch.
    """
    own = Scenes("world", range(seeds[0], seeds[-1] + 1), 1, SECONDS, FPS)
    for seed in seeds:
        scene = open_scene(own.spec(seed, size))
        frames = [scene.render(index) for index in range(scene.frame_count)]
        high, wide = frames[0].classes.shape
        grid = high // size.patch * cells, wide // size.patch * cells
        depth = [np.where(one.classes == SKY, np.float32(0), one.depth_m) for one in frames]
        yield Rendered(
            f"world-{seed}",
            [one.rgb for one in frames],
            np.stack([nearest(one, grid) for one in depth]).astype(np.float32),
            np.stack([nearest(one.classes, grid) for one in frames]),
            scene.action,
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """A scene, and features of its frames in order."""

    scene: Rendered
    batches: tuple[Features, ...]


def seen(backbone: Backbone, scene: Rendered, pictures: Pictures | None = None) -> Seen:
    """A scene as a backbone sees it, or as it sees other `pictures` of it."""
    batches, stored = [], pictures or scene.pictures
    for begin in range(0, len(stored), backbone.batch_size):
        some = stored[begin : begin + backbone.batch_size]
        infos = tuple(_info(scene.name, begin + row) for row in range(len(some)))
        features = backbone(FrameBatch(infos, np.stack(some)))
        batches.append(replace(features, pool=None, look=None))
    return Seen(scene, tuple(batches))


def stored_as_jpeg(picture: NDArray[np.uint8], quality: int) -> tuple[NDArray[np.uint8], int]:
    """A picture as a JPEG gives it back, and the JPEG's size in bytes."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file)).copy(), file.getbuffer().nbytes


def _info(stream: str, number: int) -> FrameInfo:
    time_us = number * 1_000_000 // FPS
    facts = (stream, "s", str(number), number, Fraction(1, FPS), time_us, 0)
    return FrameInfo(*facts, (1, 1), rendered=True)
