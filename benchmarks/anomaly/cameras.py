"""Still cameras: what a memory learns from, what is usual later, and what is not.

Scenes and clips in -> pictures out. What comes into a yard and is called a stranger, its memory has
never seen.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.anomaly.spoilt import LIGHT, WHOLE, Pictures, foreign
from benchmarks.tamper import pictures_of, view
from pipeline.synthetic.scene import Scene, open_scene
from pipeline.synthetic.uri import SceneSpec

PATCH = 14
NOISE = 3.0  # levels, of a rendered camera's sensor
DRIFT, DRIFT_S = 0.15, 40  # of its light, up and down, and how long that takes
_LEARN, _ASIDE = 0.5, 0.15  # of a camera's frames: learnt from, then for the threshold; then judged
_LEAST_PIXELS = 2 * PATCH**2  # of a stranger, below which a frame is neither usual nor unusual
_COVERED = 0.5  # of a cell, from which on it is unusual


@dataclass(frozen=True, slots=True)
class Case:
    """Pictures to which something was done.

    Attributes:
        pictures: uint8 `[n, H, W, 3]`.
        cells: float `[n, h, w]`, which part of each cell it covers; None: of all alike.
    """

    pictures: Pictures
    cells: NDArray[np.float64] | None = None

    @property
    def unusual(self) -> NDArray[np.bool_] | None:
        """Cells of which most is covered."""
        return None if self.cells is None else self.cells >= _COVERED

    @property
    def usual(self) -> NDArray[np.bool_] | None:
        """Cells of which nothing is."""
        return None if self.cells is None else self.cells == 0


@dataclass(frozen=True, slots=True)
class Coming:
    """Who comes into a yard.

    Attributes:
        bodies: how many may be there at once.
        strangers: labels of those that are not usual.
        name: of the case that they are.
    """

    bodies: int
    strangers: tuple[str, ...]
    name: str


QUIET = Coming(1, ("box", "sphere", "vehicle"), "somebody comes, where nobody came")
BUSY = Coming(4, ("vehicle",), "a car comes, where balls and boxes came")


@dataclass(frozen=True, slots=True)
class Camera:
    """What one still camera shows.

    Attributes:
        name: of the scene or clip.
        learn, aside, calm: usual pictures: to learn from, for the threshold, and to judge by.
        cases: what is to be told, by name.
        light: what is not, by name.
    """

    name: str
    learn: Pictures
    aside: Pictures
    calm: Pictures
    cases: dict[str, Case]
    light: dict[str, Case]

    @classmethod
    def of(cls, name: str, usual: Pictures, other: Pictures, seed: int) -> Self:
        """Of usual pictures in their order, and some of another camera."""
        first, second = round(_LEARN * len(usual)), round((_LEARN + _ASIDE) * len(usual))
        calm = usual[second:]
        strange, where = foreign(calm, other, seed)
        cases = {name: Case(spoil(calm)) for name, spoil in WHOLE.items()}
        cases["a foreign patch"] = Case(strange, covered(where))
        light = {name: Case(change(calm)) for name, change in LIGHT.items()}
        return cls(name, usual[:first], usual[first:second], calm, cases, light)


def covered(where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Which part of each cell is: bool `[n, H, W]` -> `[n, h, w]`."""
    count, height, width = where.shape
    cells = where.reshape(count, height // PATCH, PATCH, width // PATCH, PATCH)
    shares: NDArray[np.float64] = cells.mean(axis=(2, 4))
    return shares


def yards(seeds: Sequence[int], coming: Coming, *, seconds: int, short_side: int) -> list[Camera]:
    """Rendered yards at a frame a second. Usual are frames without a stranger."""
    came = {seed: _yard(seed, coming, seconds, short_side) for seed in seeds}
    found = {seed: one for seed, one in came.items() if one is not None}
    if left := [seed for seed in seeds if seed not in found]:
        print(f"left out, for no stranger comes in their last third: {left}", file=sys.stderr)
    cameras = []
    for number, (seed, (usual, case)) in enumerate(found.items()):
        other = list(found.values())[(number + 1) % len(found)][0]
        camera = Camera.of(f"yard {seed}", usual, other, seed)
        camera.cases[coming.name] = case
        cameras.append(camera)
    return cameras


def clips(names: Sequence[str], *, short_side: int) -> list[Camera]:
    """Footage of cameras that stand still."""
    found = [_scaled(pictures_of(name, short_side), short_side) for name in names]
    return [
        Camera.of(name, usual, found[(number + 1) % len(found)], number)
        for number, (name, usual) in enumerate(zip(names, found, strict=True))
    ]


def _yard(seed: int, coming: Coming, seconds: int, short_side: int) -> tuple[Pictures, Case] | None:
    """Frames without a stranger, and those of the last third with one; None where there is none."""
    width = round(short_side * 7 / 4 / PATCH) * PATCH
    spec = SceneSpec("yard", seed, seconds, 1, (width, short_side), bodies=coming.bodies)
    scene = open_scene(spec)
    parked = {one.id for one in _empty(spec).instances(0).seen}
    usual, unusual, where = [], [], []
    for index in range(scene.frame_count):
        seen = scene.instances(index)
        strange = [
            one.id for one in seen.seen if one.label in coming.strangers and one.id not in parked
        ]
        mask = np.isin(seen.mask, strange)
        if not strange:
            usual.append(_noisy(scene, index))
        elif mask.sum() >= _LEAST_PIXELS and index > seconds * (_LEARN + _ASIDE):
            unusual.append(_noisy(scene, index))
            where.append(mask)
    if not unusual:
        return None
    return np.stack(usual), Case(np.stack(unusual), covered(np.stack(where)))


def _noisy(scene: Scene, index: int) -> Pictures:
    """A frame as a sensor would have it, under light that is never quite the same."""
    seconds = index / scene.spec.fps
    light = 1 + DRIFT * np.sin(2 * np.pi * seconds / DRIFT_S)
    rgb = scene.render(index).rgb * light
    noise = np.random.default_rng([scene.spec.seed, index]).normal(0, NOISE, rgb.shape)
    seen: Pictures = (rgb + noise).clip(0, 255).astype(np.uint8)
    return seen


def _empty(spec: SceneSpec) -> Scene:
    """The yard before anybody comes."""
    return open_scene(SceneSpec("yard", spec.seed, 1, 1, spec.size_wh, bodies=0))


def _scaled(pictures: Sequence[Pictures], short_side: int) -> Pictures:
    """As a backbone takes them."""
    seen = [view(one) for one in pictures]
    height, width = seen[0].shape[:2]
    scale = short_side / min(height, width)
    size = (round(width * scale / PATCH) * PATCH, round(height * scale / PATCH) * PATCH)
    filter_ = Image.Resampling.BILINEAR
    return np.stack([np.asarray(Image.fromarray(one).resize(size, filter_)) for one in seen])
