"""Rendered scenes as an engine sees them, with their truth: features computed once, kept in memory."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from operators.backbones.backbone import Backbone
from operators.frames import Features, FrameBatch, FrameInfo
from pipeline.fit.scenes import Scenes, nearest
from pipeline.media.frame_size import FrameSize
from pipeline.synthetic.labels import SKY
from pipeline.synthetic.scene import open_scene

FPS, SECONDS = 5, 4.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One scene.

    Attributes:
        batches: features of its frames, in order.
        depth_m: float32 `[n, h, w]` at the grid of the maps, 0 where there is none.
        classes: uint8 `[n, h, w]`.
        action: what happens in it.
    """

    batches: tuple[Features, ...]
    depth_m: NDArray[np.float32]
    classes: NDArray[np.uint8]
    action: str


def seen(
    backbone: Backbone, seeds: Sequence[int], size: FrameSize, cells: int, jpeg: int | None = None
) -> Iterator[Seen]:
    """Scenes of `synthetic:world` as a backbone sees them.

    Args:
        backbone: with the blocks that are wanted.
        seeds: of the scenes.
        size: of frames; they are rendered at it.
        cells: of the truth, per side of a patch.
        jpeg: quality at which frames are stored before; None: they are not.
    """
    own = Scenes("world", range(seeds[0], seeds[-1] + 1), 1, SECONDS, FPS)
    for seed in seeds:
        scene = open_scene(own.spec(seed, size))
        frames = [scene.render(index) for index in range(scene.frame_count)]
        high, wide = frames[0].classes.shape
        grid = high // size.patch * cells, wide // size.patch * cells
        depth = [np.where(one.classes == SKY, np.float32(0), one.depth_m) for one in frames]
        yield Seen(
            tuple(_batches(backbone, [one.rgb for one in frames], seed, jpeg)),
            np.stack([nearest(one, grid) for one in depth]).astype(np.float32),
            np.stack([nearest(one.classes, grid) for one in frames]),
            scene.action,
        )


def _batches(
    backbone: Backbone, pictures: Sequence[NDArray[np.uint8]], seed: int, jpeg: int | None
) -> Iterator[Features]:
    stored = pictures if jpeg is None else [stored_as_jpeg(one, jpeg)[0] for one in pictures]
    for begin in range(0, len(stored), backbone.batch_size):
        some = stored[begin : begin + backbone.batch_size]
        infos = tuple(_info(seed, begin + row) for row in range(len(some)))
        features = backbone(FrameBatch(infos, np.stack(some)))
        yield replace(features, pool=None, look=None)


def stored_as_jpeg(picture: NDArray[np.uint8], quality: int) -> tuple[NDArray[np.uint8], int]:
    """A picture as a JPEG gives it back, and the JPEG's size in bytes."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file)).copy(), file.getbuffer().nbytes


def _info(seed: int, number: int) -> FrameInfo:
    time_us = number * 1_000_000 // FPS
    facts = (f"world-{seed}", "s", str(number), number, Fraction(1, FPS), time_us, 0)
    return FrameInfo(*facts, (1, 1), rendered=True)


def one_core() -> None:
    """Of the machine, for torch."""
    torch.set_num_threads(1)
