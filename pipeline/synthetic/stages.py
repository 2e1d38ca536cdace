"""Which scene a name stands for: a spec -> a clip over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from .camera import Camera
from .dice import Dice
from .instances import Standing
from .interior import furnished
from .motion import Moment
from .room import Room
from .street import built_street
from .style import USUAL, VARIED, Style
from .uri import SceneSpec
from .world import World
from .yard import Yard


class Clip(Protocol):
    """A scene over time; asked once or twice per frame, in any order."""

    @property
    def action_name(self) -> str:
        """What happens in the clip."""

    def camera(self, moment: Moment, size_hw: tuple[int, int]) -> Camera:
        """Return the camera at a moment."""

    def world(self, moment: Moment, camera: Camera) -> World:
        """Return what that camera may see at that moment."""

    def standing(self, moment: Moment) -> Mapping[int, Standing]:
        """Return the countable bodies, in view or not, by the `instance` of their `Body`."""


def staged(spec: SceneSpec) -> Clip:
    """Return the clip that a spec asks for; `world` and `varied` are rooms or streets, evenly."""
    if spec.scene == "room":
        return Room(spec.seed)
    if spec.scene == "yard":
        return Yard(spec.seed, spec.bodies)
    build: Callable[[int, float, Style], Clip] = built_street
    if spec.scene in ("world", "varied") and Dice(spec.seed, 10).chance(0.5):
        build = furnished
    return build(spec.seed, spec.seconds, VARIED if spec.scene == "varied" else USUAL)
