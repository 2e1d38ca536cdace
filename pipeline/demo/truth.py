"""What a rendered scene knows exactly of the frames of its clip: depth, classes, things, the
action."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.demo.findings import Shot
from pipeline.synthetic.instances import Instance
from pipeline.synthetic.scene import Scene, open_scene
from pipeline.synthetic.uri import SceneSpec


@dataclass(frozen=True, slots=True)
class FrameTruth:
    """Of one frame: depth float32 `[H, W]` metres, classes uint8 `[H, W]` ids of the scene's
    labels, and the countable things that are seen."""

    depth_m: NDArray[np.float32]
    classes: NDArray[np.uint8]
    things: tuple[Instance, ...]


@dataclass(frozen=True, slots=True)
class Truth:
    """Of a clip.

    Attributes:
        frames: position -> its truth.
        names: what class ids mean.
        action: what happens in the whole clip.
    """

    frames: dict[str, FrameTruth]
    names: tuple[str, ...]
    action: str


def scene_truth(spec: SceneSpec, shots: Iterable[Shot]) -> Truth:
    """Render again what was seen.

    Args:
        spec: the scene that the clip was made of.
        shots: frames of the clip; their timestamps say which of the scene's they are.
    """
    scene = open_scene(spec)
    frames = {shot.position: _frame(scene, shot) for shot in shots if shot.pts_s is not None}
    return Truth(frames, tuple(label.name for label in scene.labels.labels), scene.action)


def _frame(scene: Scene, shot: Shot) -> FrameTruth:
    assert shot.pts_s is not None
    number = round(shot.pts_s * scene.spec.fps)
    rendered = scene.render(number)
    return FrameTruth(rendered.depth_m, rendered.classes, scene.instances(number).seen)
