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
from pipeline.fit.strangers import ASIDE, COVERED, LEARN, covered, watched, yard

PATCH = 14


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
        return None if self.cells is None else self.cells >= COVERED

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
        first, second = round(LEARN * len(usual)), round((LEARN + ASIDE) * len(usual))
        calm = usual[second:]
        strange, where = foreign(calm, other, seed)
        cases = {name: Case(spoil(calm)) for name, spoil in WHOLE.items()}
        cases["a foreign patch"] = Case(strange, covered(where, PATCH))
        light = {name: Case(change(calm)) for name, change in LIGHT.items()}
        return cls(name, usual[:first], usual[first:second], calm, cases, light)


def yards(seeds: Sequence[int], coming: Coming, *, seconds: int, short_side: int) -> list[Camera]:
    """Rendered yards at a frame a second. Usual are frames without a stranger."""
    specs = {seed: yard(seed, coming.bodies, seconds, short_side, PATCH) for seed in seeds}
    came = {seed: watched(spec, coming.strangers, PATCH) for seed, spec in specs.items()}
    found = {seed: one for seed, one in came.items() if one is not None}
    if left := [seed for seed in seeds if seed not in found]:
        print(f"left out, for no stranger comes in their last third: {left}", file=sys.stderr)
    cameras = []
    for number, (seed, one) in enumerate(found.items()):
        other = list(found.values())[(number + 1) % len(found)].usual
        camera = Camera.of(f"yard {seed}", one.usual, other, seed)
        camera.cases[coming.name] = Case(one.strange, one.cells)
        cameras.append(camera)
    return cameras


def clips(names: Sequence[str], *, short_side: int) -> list[Camera]:
    """Footage of cameras that stand still."""
    found = [_scaled(pictures_of(name, short_side), short_side) for name in names]
    return [
        Camera.of(name, usual, found[(number + 1) % len(found)], number)
        for number, (name, usual) in enumerate(zip(names, found, strict=True))
    ]


def _scaled(pictures: Sequence[Pictures], short_side: int) -> Pictures:
    """As a backbone takes them."""
    seen = [view(one) for one in pictures]
    height, width = seen[0].shape[:2]
    scale = short_side / min(height, width)
    size = (round(width * scale / PATCH) * PATCH, round(height * scale / PATCH) * PATCH)
    filter_ = Image.Resampling.BILINEAR
    return np.stack([np.asarray(Image.fromarray(one).resize(size, filter_)) for one in seen])
