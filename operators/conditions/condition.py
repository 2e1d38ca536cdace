"""A condition that pictures are taken under, and the table of all of them.

A picture in -> the same picture under the condition out, at any size. Knows no files.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from operators.conditions.blur import defocus, motion_blur
from operators.conditions.darkness import low_light, night
from operators.conditions.linear_light import to_light, to_pixels
from operators.conditions.rain import rain
from operators.conditions.veil import filled, fog
from operators.conditions.view import Effect, View
from operators.errors import UsageError

ALL = "all"
STRONGEST = 3.0

_FORMAT = 1  # rises when an effect is computed otherwise: kept features are of it


@dataclass(frozen=True, slots=True)
class Kind:
    """What a condition does, and whether it goes by depth: not at all, where it is known, or only
    where it is known."""

    effect: Effect
    depth: Literal["ignored", "used", "needed"] = "ignored"


KINDS: Mapping[str, Kind] = {
    "night": Kind(night),
    "low-light": Kind(low_light),
    "rain": Kind(rain, "used"),
    "fog": Kind(fog, "needed"),
    "motion-blur": Kind(motion_blur),
    "defocus": Kind(defocus),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One of `KINDS`, at a strength: 0 leaves pictures alone, 1 is usual, `STRONGEST` the most."""

    name: str
    strength: float = 1.0

    def __str__(self) -> str:
        return self.name if self.strength == 1 else f"{self.name}:{self.strength:g}"

    @property
    def depth(self) -> Literal["ignored", "used", "needed"]:
        """Whether it goes by depth."""
        return KINDS[self.name].depth

    @property
    def identity(self) -> Mapping[str, Any]:
        """What decides its pixels beside picture, depth and draw, as JSON values."""
        return {"condition": self.name, "strength": self.strength, "format": _FORMAT}

    def applied(
        self,
        pixels: NDArray[np.uint8],
        draw: np.random.Generator,
        *,
        depth_m: NDArray[np.float32] | None = None,
    ) -> NDArray[np.uint8]:
        """The picture under the condition.

        Args:
            pixels: RGB `[H, W, 3]`.
            draw: the same gives the same pixels.
            depth_m: metres `[H, W]`, 0 where unknown, which is taken to be as far as the nearest
                known pixel is; inf where there is nothing; None where nobody knows.
        """
        if not self.strength:
            return pixels
        known = None if depth_m is None else filled(depth_m)
        view = View(to_light(pixels), known, draw)
        return to_pixels(KINDS[self.name].effect(view, self.strength))


def conditions_named(texts: Iterable[str]) -> list[Condition]:
    """What `NAME` and `NAME:STRENGTH` mean; `all` is every name. Each condition once.

    Raises:
        UsageError: no such name or strength.
    """
    found: dict[Condition, None] = {}
    for text in texts:
        name, _, tail = text.partition(":")
        if name != ALL and name not in KINDS:
            raise UsageError(
                f"no condition {name!r}; there are {', '.join(KINDS)}, and {ALL}; "
                "NAME:STRENGTH for another strength than 1"
            )
        strength = _strength(text, tail) if ":" in text else 1.0
        names = KINDS if name == ALL else [name]
        found |= dict.fromkeys(Condition(one, strength) for one in names)
    return list(found)


def _strength(text: str, tail: str) -> float:
    try:
        strength = float(tail)
    except ValueError:
        strength = math.nan
    if not 0 <= strength <= STRONGEST:
        raise UsageError(
            f"{text}: a strength is a number from 0 (nothing) over 1 (usual) to {STRONGEST:g}, "
            f"got {tail!r}"
        )
    return strength
