"""Rendered scenes as labelled recordings: seeds in -> one scene each, with the action it shows."""

from __future__ import annotations

import math
from collections.abc import Sequence

from operators.errors import UsageError
from pipeline.fit.scenes import Scenes
from pipeline.fit.spans import Labelled, Span
from pipeline.media.frame_size import FrameSize
from pipeline.synthetic.scene import open_scene


def scenes_with_actions(
    scene: str, seeds: Sequence[int], size: FrameSize, *, fps: float, seconds: float
) -> list[Labelled]:
    """Scenes that show one action each.

    Args:
        scene: of `synthetic:`, such as `world`.
        seeds: of the scenes.
        size: of frames at the backbone; they are rendered at it.
        fps: a whole number; as many frames are rendered as are taken.
        seconds: length of a scene, which decides how fast an action is.

    Raises:
        UsageError: an unknown scene, or frames per second that are no whole number.
    """
    if fps != int(fps):
        raise UsageError(f"scenes have a whole number of frames per second, --fps says {fps}")
    own = Scenes(scene, range(seeds[0], seeds[-1] + 1), 1, seconds, int(fps))
    specs = [own.spec(seed, size) for seed in own.seeds]
    return [
        Labelled(spec.canonical(), (Span(0.0, math.inf, open_scene(spec).action),))
        for spec in specs
    ]
