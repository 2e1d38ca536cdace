"""Rendered yards as clips of a still camera, and which of a clip's frames a gate has computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.places.told_zones import MAP_HW
from pipeline.decode.playback import Playback
from pipeline.decode.stillness import Stillness
from pipeline.decode.track import Sample
from pipeline.fit.scenes import nearest
from pipeline.media.encode import write_clip
from pipeline.stream.gate import AT_LEAST_EVERY_S, Gate
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec
from pipeline.synthetic.scene import Scene, open_scene
from pipeline.synthetic.uri import SceneSpec

FPS, SAMPLED_FPS = 10, 5
RENDERED_WH, ENCODED_WH = (320, 180), (640, 360)
PATCH = 14 * RENDERED_WH[1] / 224  # rendered pixels
THRESHOLDS = (4, 6, 8, 12, 16, 24)


class TrueMaps(NamedTuple):
    """Of one frame: class ids, uint8, and metres, float32, both of `MAP_HW` cells."""

    classes: NDArray[np.uint8]
    depth_m: NDArray[np.float32]


@dataclass(frozen=True)
class Yard:
    """A rendered clip, where it is encoded, and the truth of every frame that is sampled."""

    scene: Scene
    path: Path
    maps: Sequence[TrueMaps]

    @classmethod
    def made(cls, seed: int, seconds: float, bodies: int, folder: Path) -> Yard:
        scene = open_scene(SceneSpec("yard", seed, seconds, FPS, RENDERED_WH, bodies))
        path, maps = folder / f"yard-{seed}.mp4", list[TrueMaps]()

        def drawn(index: int) -> NDArray[np.uint8]:
            frame = scene.render(index)
            if index % (FPS // SAMPLED_FPS) == 0:
                cells = (nearest(one, MAP_HW) for one in (frame.classes, frame.depth_m))
                maps.append(TrueMaps(*cells))
            return _enlarged(frame.rgb)

        write_clip(path, map(drawn, range(scene.frame_count)), fps=FPS)
        return cls(scene, path, maps)

    @property
    def sampled(self) -> SceneSpec:
        """The scene at the rate at which it is sampled: frame n is the n-th sampled one."""
        return replace(self.scene.spec, fps=SAMPLED_FPS)


def _enlarged(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(rgb).resize(ENCODED_WH, Image.Resampling.BILINEAR))


def samples(path: Path) -> list[Sample]:
    """Five frames of a second, at ViT-S's size."""
    rule = Sampling("fps", SAMPLED_FPS)
    spec = StreamSpec("clip", str(path), session="x", samplings=(rule,))
    return [item for item in Playback(spec, lambda: 0).items() if isinstance(item, Sample)]


def computed_of(frames: Sequence[Sample], threshold: int) -> list[bool]:
    """Of each frame whether a gate has it computed; the others repeat the last one that is."""
    gate = Gate(threshold, AT_LEAST_EVERY_S)
    rule = Sampling("fps", SAMPLED_FPS)
    stillness = Stillness(StreamSpec("clip", "x", session="x", samplings=(rule,), gate=gate))
    judged = (stillness.judge(one) for one in frames)
    return [not one.repeats for one in judged if isinstance(one, Sample)]


def shares(frames: Sequence[Sample]) -> dict[str, float]:
    """Threshold -> part of the frames that is computed."""
    found = {str(level): computed_of(frames, level) for level in THRESHOLDS}
    return {level: round(sum(one) / len(one), 3) for level, one in found.items()}
