"""Rendered clips with the true masks of their things, and what different eyes see of them.

A scene and a seed in -> pictures, ids, and patches out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.backbones.architectures import architecture
from operators.backbones.backbone import Backbone
from operators.backbones.start import start_backbone
from operators.frames import FrameBatch, FrameInfo
from operators.weights.load import load_backbone
from pipeline.media.frame_size import FrameSize
from pipeline.media.still import scaled
from pipeline.synthetic.scene import open_scene
from pipeline.synthetic.uri import SceneSpec

FPS = 5
SIZE_WH = (784, 448)  # that is rendered, and that masks are measured at
LEAST_SHARE = 0.004  # of the picture, that is seen of a thing in the first frame
MOST_THINGS = 3
MODEL, PATCH = "dinov2_vitti14", 14
_THUMBNAIL = 8  # pixels of a patch, for the eye that sees pixels

Look = Callable[[Sequence[NDArray[np.uint8]]], list[Tensor]]
"""Pictures at the backbone's size -> patches `[h, w, D]` of each."""


@dataclass(frozen=True, slots=True)
class World:
    """
    Attributes:
        name: scene and seed.
        pictures: RGB uint8 `[H, W, 3]`, one per frame.
        ids: uint8 `[H, W]` of each: the things of the first frame from 1 on, the largest first.
        names: what they are.
    """

    name: str
    pictures: list[NDArray[np.uint8]]
    ids: list[NDArray[np.uint8]]
    names: tuple[str, ...]

    def at(self, short_side: int) -> list[NDArray[np.uint8]]:
        """The pictures as a backbone is given them."""
        return [scaled(picture, FrameSize(short_side, PATCH)) for picture in self.pictures]


def world(scene: str, seed: int, seconds: float) -> World | None:
    """One clip; None where its first frame shows nothing large enough."""
    clip = open_scene(SceneSpec(scene, seed=seed, seconds=seconds, fps=FPS, size_wh=SIZE_WH))
    least = LEAST_SHARE * SIZE_WH[0] * SIZE_WH[1]
    first = [one for one in clip.instances(0).seen if one.visible_pixels >= least]
    chosen = sorted(first, key=lambda one: -one.visible_pixels)[:MOST_THINGS]
    if not chosen:
        return None
    renamed = np.zeros(1 << 16, np.uint8)
    for number, one in enumerate(chosen, start=1):
        renamed[one.id] = number
    numbers = range(clip.frame_count)
    return World(
        f"{scene} {seed}",
        [clip.render(number).rgb for number in numbers],
        [renamed[clip.instances(number).mask] for number in numbers],
        tuple(one.label for one in chosen),
    )


def eye(weights: str) -> Look:
    """How patches are seen: with `demo` weights, `random` ones, or as `pixels`."""
    if weights == "pixels":
        return lambda pictures: [_thumbnails(picture) for picture in pictures]
    loaded = load_backbone(architecture(MODEL), weights)
    backbone = start_backbone(loaded, blocks=())

    def look(pictures: Sequence[NDArray[np.uint8]]) -> list[Tensor]:
        size = backbone.batch_size
        return [
            patches
            for first in range(0, len(pictures), size)
            for patches in _seen(backbone, np.stack(pictures[first : first + size]))
        ]

    return look


def _seen(backbone: Backbone, pixels: NDArray[np.uint8]) -> list[Tensor]:
    infos = (FrameInfo.of_picture(),) * len(pixels)
    patches = backbone(FrameBatch(infos, pixels)).patches[: len(pixels)]
    return [one.float().cpu().clone() for one in patches]


def _thumbnails(picture: NDArray[np.uint8]) -> Tensor:
    """Each patch as 8 x 8 colours, less the picture's mean colour."""
    planes = torch.from_numpy(picture.copy()).permute(2, 0, 1).float()
    planes = planes - planes.mean(dim=(1, 2), keepdim=True)
    down, across = (side // PATCH for side in picture.shape[:2])
    small = torch.nn.functional.adaptive_avg_pool2d(
        planes, (down * _THUMBNAIL, across * _THUMBNAIL)
    )
    blocks = small.unflatten(2, (across, _THUMBNAIL)).unflatten(1, (down, _THUMBNAIL))
    return blocks.permute(1, 3, 0, 2, 4).flatten(2).contiguous()
