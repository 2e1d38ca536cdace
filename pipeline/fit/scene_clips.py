"""Rendered clips with their action: seeds in -> labelled windows over features of frames out.

One window a scene, of some part of it: fast actions and slow ones. Computed once and kept, as all
features are. Knows nothing of training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from operators.backbones.backbone import Backbone
from operators.frames import FrameInfo
from operators.learn.examples import Examples
from pipeline.features.folder import FeatureFolder
from pipeline.features.glance import Glance
from pipeline.features.stored import Part, part_facts
from pipeline.fit.dense_plan import Tell
from pipeline.fit.fitting import data_sha256
from pipeline.fit.scenes import Scenes
from pipeline.media.frame_size import FrameSize
from pipeline.media.still import scaled
from pipeline.synthetic.action import ACTIONS
from pipeline.synthetic.scene import open_scene
from pipeline.synthetic.uri import SceneSpec

_FORMAT = 3  # 1 had no cells, 2 only whole scenes
_PACES = (1, 2, 4)  # a scene takes so many times as long as the window
_INFO = FrameInfo.of_picture()


def scene_examples(
    scenes: Scenes, backbone: Backbone, *, size: FrameSize, cache: Path, tell: Tell
) -> Examples:
    """Of every scene one window, with its action.

    Args:
        scenes: windows are `seconds` x `fps` frames long, which is T; their scenes as long, or two
            or four times, as the seed decides.
        backbone: keeps the last four blocks.
        size: of a frame at the backbone.
        cache: folder of computed features.
        tell: told of every scene.
    """
    glance, folder = Glance(backbone), FeatureFolder(cache, size)
    vectors, cells, targets, groups = [], [], [], []
    for done, seed in enumerate(scenes.seeds, start=1):
        spec, rows = _window(scenes, seed, size)
        what = {"scene": spec.canonical(), "rows": [rows.start, rows.stop], "clips": _FORMAT}
        place = folder.place({**what, **glance.identity})
        if part_facts(place) is None:
            _compute(spec, rows, glance, size).write(place)
        part = Part.read(place)
        vectors.append(part.arrays["vectors"])
        cells.append(part.arrays["cells"])
        targets.append(ACTIONS.index(part.facts["action"]))
        groups.append(f"{spec.scene} {seed}")
        tell("clips", done, len(scenes.seeds))
    return replace(_examples(vectors, targets, groups), cells=np.concatenate(cells))


def scene_data_sha256(examples: Examples, scenes: Scenes, size: FrameSize) -> str:
    """Identity of what a head was trained on: the clips, each with its action.

    Args:
        examples: what `scene_examples` made of them.
        scenes: the clips; their length and rate included.
        size: of a frame at the backbone.
    """
    actions = [examples.labels[target] for target in examples.targets]
    clips = [
        [spec.canonical(), rows.start]
        for spec, rows in (_window(scenes, seed, size) for seed in scenes.seeds)
    ]
    return data_sha256(zip(clips, actions, strict=True))


def _window(scenes: Scenes, seed: int, size: FrameSize) -> tuple[SceneSpec, range]:
    """The scene of a seed, and which of its frames the window has."""
    draw = np.random.default_rng(seed)
    pace, frames = int(draw.choice(_PACES)), round(scenes.seconds * scenes.fps)
    first = int(draw.integers(0, frames * (pace - 1) + 1))
    slowed = replace(scenes, seconds=scenes.seconds * pace)
    return slowed.spec(seed, size), range(first, first + frames)


def _compute(spec: SceneSpec, rows: range, glance: Glance, size: FrameSize) -> Part:
    scene = open_scene(spec)
    frames = [scaled(scene.render(index).rgb, size) for index in rows]
    arrays = glance(np.stack(frames), (_INFO,) * len(frames), patches=False)
    return Part(arrays, {"action": scene.action})


def _examples(
    vectors: Sequence[NDArray[np.float32]], targets: Sequence[int], groups: Sequence[str]
) -> Examples:
    length = len(vectors[0])
    first = np.arange(len(vectors)) * length
    return Examples(
        np.concatenate(vectors),
        True,
        (first[:, None] + np.arange(length)[None]).astype(np.int64),
        np.full(len(vectors), length, dtype=np.int64),
        np.asarray(targets, dtype=np.int64),
        tuple(groups),
        ACTIONS,
    )
