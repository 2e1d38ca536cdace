"""Rendered scenes as data: seeds in -> frames with exact masks and depth, clips with their action.

Nothing is stored but what a store computes from it. Knows nothing of training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from operators.errors import UsageError
from operators.learn.resampling import nearest
from operators.learn.things import truth_of
from pipeline.media.frame_size import FrameSize
from pipeline.media.still import scaled
from pipeline.synthetic.instances import Instances
from pipeline.synthetic.labels import SKY, things_of
from pipeline.synthetic.renderer import SceneFrame
from pipeline.synthetic.scene import Scene, open_scene
from pipeline.synthetic.uri import SceneSpec

Task = Literal["segmentation", "depth", "detect"]

_LEAST_PATCHES = 0.25  # area that is seen of a thing, below which nobody is asked to find it
_SHAPE_HW = (360, 640)  # of a scene whose size nobody asked for


@dataclass(frozen=True, slots=True)
class Scenes:
    """Which scenes.

    Attributes:
        scene: of `synthetic:`, such as `world`.
        seeds: of the scenes.
        frames: taken of each scene, evenly.
        seconds: length of a scene's clip.
        fps: its frames per second.
        sizes_wh: rendered sizes, taken in turn by seed; none: the backbone's own, so that nothing
            is scaled.
    """

    scene: str
    seeds: range
    frames: int = 4
    seconds: float = 8.0
    fps: int = 5
    sizes_wh: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if not self.seeds or not 1 <= self.frames <= round(self.seconds * self.fps):
            raise UsageError(
                f"want some seeds and 1 to {round(self.seconds * self.fps)} frames of a scene of "
                f"{self.seconds} s at {self.fps} frames/s, got {len(self.seeds)} seeds and "
                f"{self.frames} frames"
            )

    def spec(self, seed: int, size: FrameSize) -> SceneSpec:
        """One scene at the size it is rendered at."""
        sizes = self.rendered_for(size).sizes_wh
        size_wh = sizes[seed % len(sizes)]
        return SceneSpec(self.scene, seed=seed, seconds=self.seconds, fps=self.fps, size_wh=size_wh)

    def rendered_for(self, size: FrameSize) -> Scenes:
        """The same pictures for every backbone: where nobody asked for sizes, of this one."""
        height, width = size.of(_SHAPE_HW)
        return replace(self, sizes_wh=self.sizes_wh or ((width, height),))

    def items(self, task: Task, size: FrameSize) -> list[SceneItem]:
        """Every frame with its truth."""
        return [
            SceneItem(self.spec(seed, size), index, task)
            for seed in self.seeds
            for index in self._indices()
        ]

    def _indices(self) -> Sequence[int]:
        count = round(self.seconds * self.fps)
        steps = np.linspace(0, count - 1, self.frames) if self.frames > 1 else [count // 2]
        return [round(float(step)) for step in steps]


@dataclass(frozen=True, slots=True)
class SceneItem:
    """One frame of a scene. Implements `pipeline.fit.dense_item.ThingItem` and
    `DeepItem`."""

    spec: SceneSpec
    index: int
    task: Task

    @property
    def name(self) -> str:
        return f"{self.group}, frame {self.index}"

    @property
    def group(self) -> str:
        return f"{self.spec.scene} {self.spec.seed}"

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"scene": self.spec.canonical(), "frame": self.index}

    @property
    def truth_identity(self) -> Mapping[str, Any]:
        if self.task == "detect":
            return {"task": self.task, "least_patches": _LEAST_PATCHES}
        return {"task": self.task, "sky": "unknown depth"}

    def pixels(self, size: FrameSize) -> NDArray[np.uint8]:
        """The frame, scaled as replay scales where it is not of the backbone's size."""
        return scaled(_frame(self.spec, self.index).rgb, size)

    def truth(self, size: FrameSize) -> NDArray[Any]:
        """Class ids, metres with 0 where the scene has none (the sky), or the boxes of things."""
        if self.task == "detect":
            return self._things(size)
        frame = _frame(self.spec, self.index)
        height, width = frame.classes.shape
        size_hw = size.of((height, width))
        if self.task == "segmentation":
            return nearest(frame.classes, size_hw)
        return nearest(np.where(frame.classes == SKY, np.float32(0), frame.depth_m), size_hw)

    @property
    def has_depth(self) -> bool:
        return True

    def depth_m(self, size: FrameSize) -> NDArray[np.float32]:
        """Metres, inf where the sky is."""
        frame = _frame(self.spec, self.index)
        depth_m = np.where(frame.classes == SKY, np.float32(np.inf), frame.depth_m)
        return nearest(depth_m, size.of((depth_m.shape[0], depth_m.shape[1])))

    @property
    def has_masks(self) -> bool:
        return True

    @property
    def mask_identity(self) -> Mapping[str, Any]:
        return {"masks": "what is seen"}

    def masks(self, size: FrameSize) -> NDArray[np.bool_]:
        """Of the things of `truth`."""
        found = _instances(self.spec, self.index)
        height, width = found.mask.shape
        ids = np.array([one.id for one in found.seen], dtype=found.mask.dtype)
        inside: NDArray[np.bool_] = (
            nearest(found.mask, size.of((height, width))) == ids[:, None, None]
        )
        return inside

    def _things(self, size: FrameSize) -> NDArray[np.float32]:
        """As of `operators.learn.things`; those of which too little is seen do not count."""
        seen = _instances(self.spec, self.index).seen
        width, height = self.spec.size_wh
        rows, columns = size.of((height, width))
        least = _LEAST_PATCHES * size.patch**2 * (width * height) / (rows * columns)
        ids = {label.name: label.id for label in things_of(self.spec.scene).labels}
        whole = np.array([width, height, width, height])
        return truth_of(
            [(ids[one.label], *(one.box / whole), one.visible_pixels < least) for one in seen]
        )


@lru_cache(maxsize=1)
def _scene(spec: SceneSpec) -> Scene:
    return open_scene(spec)


@lru_cache(maxsize=1)
def _instances(spec: SceneSpec, index: int) -> Instances:
    return _scene(spec).instances(index)


@lru_cache(maxsize=1)
def _frame(spec: SceneSpec, index: int) -> SceneFrame:
    return _scene(spec).render(index)
