"""Outdoors on some day: a ground, the sky over it, sun and haze -> surroundings of things."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .coat import CoatedFace, coat
from .dice import Dice
from .labels import SKY
from .outdoors import Outdoors, Sky
from .setting import Air
from .sheet import Tint
from .sunlight import CastShadow, Sunlight
from .surfaces import Surface
from .vector import Vec3, unit

_NEUTRAL: Tint = (1.0, 1.0, 1.0)
_WARM: Tint = (1.08, 1.0, 0.88)
_COOL: Tint = (0.93, 0.97, 1.0)
_EVENING: Tint = (1.05, 0.86, 0.70)
_NIGHT: Tint = (0.78, 0.85, 1.0)
_MURKY: Tint = (0.90, 0.93, 0.90)


@dataclass(frozen=True, slots=True)
class Weather:
    """Sky colours (display, 0..255), sun and sky strength, the share left in shadows, the air."""

    zenith: Tint
    horizon: Tint
    cloud: Tint
    sun: float
    sky: float
    shade: float
    air: Tint
    haze_per_m: float


WEATHERS: tuple[Weather, ...] = (
    Weather((70, 130, 215), (190, 215, 235), (250, 250, 250), 0.85, 0.42, 0.40, _NEUTRAL, 0.003),
    Weather((95, 150, 220), (215, 225, 230), (255, 255, 255), 0.75, 0.40, 0.42, _WARM, 0.004),
    Weather((165, 172, 180), (205, 208, 210), (225, 226, 228), 0.10, 0.72, 0.90, _COOL, 0.008),
    Weather((70, 80, 130), (250, 170, 110), (255, 190, 150), 0.62, 0.28, 0.45, _EVENING, 0.006),
    Weather((34, 44, 78), (80, 92, 120), (60, 66, 90), 0.08, 0.34, 0.85, _NIGHT, 0.006),
    Weather((130, 140, 150), (190, 190, 185), (110, 115, 125), 0.05, 0.55, 0.95, _MURKY, 0.014),
)


@dataclass(frozen=True, slots=True)
class Day:
    """A sky, a sun, the air between, and the share of light that is left in a shadow."""

    sky: Sky
    light: Sunlight
    air: Air
    shade: float


@dataclass(frozen=True, slots=True)
class OpenAir:
    """A ground on some day. Implements `setting.Surroundings`."""

    ground: CoatedFace
    day: Day

    @property
    def enclosure(self) -> Outdoors:
        """The ground and the sky."""
        return Outdoors()

    @property
    def light(self) -> Sunlight:
        """The sun and the sky."""
        return self.day.light

    @property
    def air(self) -> Air:
        """The day's."""
        return self.day.air

    @property
    def shade(self) -> float:
        """The share of light that is left in a shadow."""
        return self.day.shade

    def shadow_source(self) -> Vec3:
        """Return where the sun is."""
        return self.light.lamp

    def faces(self, shadow: CastShadow) -> tuple[Surface, ...]:
        """Return the ground, which takes shadows, and the sky."""
        ground = self.ground
        shaded = CoatedFace(ground.frame, ground.coat, self.light, ground.decals, shadow)
        return shaded, self.day.sky


def some_day(dice: Dice) -> Day:
    """Return one of WEATHERS, with the sun and clouds somewhere."""
    weather = dice.pick(WEATHERS)
    angle, low = dice.between(0.0, 2.0 * math.pi), dice.between(0.5, 1.3)
    light = Sunlight(unit((math.cos(angle), math.sin(angle), low)), weather.sun, weather.sky)
    cover = coat(dice, "clouds", (1.075, 1.075, 1.075), SKY, scale=dice.between(1.5, 4.0))
    sky = Sky(weather.zenith, weather.horizon, weather.cloud, cover)
    return Day(sky, light, Air(weather.air, weather.horizon, weather.haze_per_m), weather.shade)
