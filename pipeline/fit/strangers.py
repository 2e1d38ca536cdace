"""Still cameras in rendered scenes: what is usual there, and what comes that never came before.

A scene and labels in -> pictures out, and where a stranger is in them. Knows no backbone.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.synthetic.scene import Scene, open_scene
from pipeline.synthetic.uri import SceneSpec

NOISE = 3.0  # levels, of a rendered camera's sensor
DRIFT, DRIFT_S = 0.15, 40  # of its light, up and down, and how long that takes
LEARN, ASIDE = 0.5, 0.15  # of a camera's frames: learnt from, then for the threshold; then judged
COVERED = 0.5  # of a cell, from which on it is unusual
_LEAST_PATCHES = 2  # of a stranger, below which a frame is neither usual nor unusual

Pictures = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Watched:
    """What one camera saw; pictures are uint8 `[n, H, W, 3]`.

    Attributes:
        usual: frames without a stranger, in order.
        strange: of the last third those with one.
        cells: float `[n, h, w]`, which part of each cell of those it covers.
    """

    usual: Pictures
    strange: Pictures
    cells: NDArray[np.float64]

    @property
    def learnt(self) -> Pictures:
        """The usual frames that a memory is made of."""
        return self.usual[: round(LEARN * len(self.usual))]

    @property
    def calm(self) -> Pictures:
        """Those that it is judged by."""
        return self.usual[round((LEARN + ASIDE) * len(self.usual)) :]


def yard(seed: int, bodies: int, seconds: float, short_side: int, patch: int) -> SceneSpec:
    """A still camera over a yard, a frame a second, 7 : 4.

    Args:
        seed: of the yard and of who comes.
        bodies: how many may be under way at once.
        seconds: how long it is watched.
        short_side: of the picture, pixels, a multiple of `patch`.
    """
    width = round(short_side * 7 / 4 / patch) * patch
    return SceneSpec("yard", seed, seconds, 1, (width, short_side), bodies=bodies)


def watched(spec: SceneSpec, strangers: Collection[str], patch: int) -> Watched | None:
    """
    Args:
        spec: the scene, both sides of its picture multiples of a patch.
        strangers: labels of bodies that are not usual; those that stand there from the beginning
            always are.
        patch: its side, pixels.

    Returns:
        None where no stranger comes in the last third.
    """
    scene = open_scene(spec)
    parked = {one.id for one in _empty(spec).instances(0).seen}
    usual, unusual, where = [], [], []
    for index in range(scene.frame_count):
        seen = scene.instances(index)
        strange = [one.id for one in seen.seen if one.label in strangers and one.id not in parked]
        mask = np.isin(seen.mask, strange)
        if not strange:
            usual.append(_noisy(scene, index))
        elif mask.sum() >= _LEAST_PATCHES * patch**2 and index > scene.frame_count * (
            LEARN + ASIDE
        ):
            unusual.append(_noisy(scene, index))
            where.append(mask)
    if not unusual:
        return None
    return Watched(np.stack(usual), np.stack(unusual), covered(np.stack(where), patch))


def covered(where: NDArray[np.bool_], patch: int) -> NDArray[np.float64]:
    """Which part of each cell is: bool `[n, H, W]` -> `[n, h, w]`."""
    count, height, width = where.shape
    cells = where.reshape(count, height // patch, patch, width // patch, patch)
    shares: NDArray[np.float64] = cells.mean(axis=(2, 4))
    return shares


def _noisy(scene: Scene, index: int) -> Pictures:
    """A frame as a sensor would have it, under light that is never quite the same."""
    seconds = index / scene.spec.fps
    light = 1 + DRIFT * np.sin(2 * np.pi * seconds / DRIFT_S)
    rgb = scene.render(index).rgb * light
    noise = np.random.default_rng([scene.spec.seed, index]).normal(0, NOISE, rgb.shape)
    seen: Pictures = (rgb + noise).clip(0, 255).astype(np.uint8)
    return seen


def _empty(spec: SceneSpec) -> Scene:
    """The scene before anybody comes."""
    return open_scene(replace(spec, seconds=1, fps=1, bodies=0))
