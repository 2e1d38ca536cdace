"""Rain: drops near the camera as streaks, all others as a veil, both of one law of their sizes.

Per cubic metre and millimetre there are 8000 exp(-l D) drops of diameter D, l = 4.1 R^-0.21 per
mm, at R mm of rain in an hour (Marshall and Palmer, The distribution of raindrops with size, 1948).
A drop falls at 9.65 - 10.3 exp(-0.6 D) m/s (Atlas et al. 1973), covers its own disc at any moment,
and shows light from all around (Garg and Nayar, Vision and rain, IJCV 2007): of its surroundings'
mean, whatever is behind it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from operators.conditions.linear_light import Light
from operators.conditions.veil import airlight, veiled
from operators.conditions.view import View

_RATE_MM_H = 50.0  # from here on weather services call it violent
_DROPS_PER_M3_MM = 8000.0
_LEAST_MM = 0.8  # of drops that are drawn: smaller ones leave no streak
_MOST_MM = 6.0  # larger ones break up
_NEAR_M, _FAR_M = 0.4, 2.5  # where streaks are: farther ones are too thin to be told apart
_EXPOSURE_S = 1 / 125
_WIND = 0.3  # standard deviation of the slant, metres sideways per metre down
_DRAWN_PX = 240  # short side of the sheet that streaks are drawn on: the same rain at every size
_FOCAL = 1.0  # focal length in short sides: 53 degrees from edge to edge
_POINTS = 40  # of a streak, of which the longest have as many pixels


def rain(view: View, strength: float) -> Light:
    """50 mm in an hour times the strength; the veil is left out where nobody knows depth."""
    rate_mm_h = _RATE_MM_H * strength
    light = view.light
    if view.depth_m is not None:
        light = veiled(light, view.depth_m, extinction_per_m(rate_mm_h))
    covered = _streaks(view, rate_mm_h)[..., None]
    return light * (1 - covered) + airlight(view.light) * covered


def extinction_per_m(rate_mm_h: float) -> float:
    """Of light by all drops: twice their discs, since drops are large beside its waves
    (van de Hulst 1957)."""
    per_m = 1000 * slope_per_mm(rate_mm_h)
    return math.pi * 1000 * _DROPS_PER_M3_MM / per_m**3


def slope_per_mm(rate_mm_h: float) -> float:
    """How fast larger drops become rare."""
    return float(4.1 * rate_mm_h**-0.21)


@dataclass(frozen=True, slots=True)
class _Drops:
    """Drops in the middle of their streaks: diameter, metres; position, pixels; distance, metres;
    path in the exposure, pixels, down."""

    diameter_m: NDArray[np.float64]
    x_px: NDArray[np.float64]
    y_px: NDArray[np.float64]
    far_m: NDArray[np.float64]
    path_px: NDArray[np.float64]


def _streaks(view: View, rate_mm_h: float) -> NDArray[np.float32]:
    """Share of each pixel, over the exposure, that is covered by drops in front of what is there,
    `[H, W]`."""
    height, width = view.light.shape[:2]
    scale = _DRAWN_PX / min(height, width)
    sheet_hw = round(height * scale), round(width * scale)
    drops = _fallen(view.draw, sheet_hw, rate_mm_h)
    slant = view.draw.normal(0, _WIND)
    part = np.linspace(-0.5, 0.5, _POINTS)[:, None]
    x = drops.x_px + slant * drops.path_px * part
    y = drops.y_px + drops.path_px * part
    rows, columns = np.floor(y).astype(int), np.floor(x).astype(int)
    seen = (rows >= 0) & (rows < sheet_hw[0]) & (columns >= 0) & (columns < sheet_hw[1])
    disc_px = math.pi / 4 * (drops.diameter_m * _FOCAL * _DRAWN_PX / drops.far_m) ** 2
    weight = np.broadcast_to(disc_px / _POINTS, rows.shape)
    if view.depth_m is not None:
        behind = view.depth_m[
            (rows.clip(0, sheet_hw[0] - 1) * height // sheet_hw[0]),
            (columns.clip(0, sheet_hw[1] - 1) * width // sheet_hw[1]),
        ]
        seen &= behind > drops.far_m
    places = rows[seen] * sheet_hw[1] + columns[seen]
    sheet = np.bincount(places, weight[seen], minlength=math.prod(sheet_hw)).reshape(sheet_hw)
    whole = Image.fromarray(sheet.clip(0, 1).astype(np.float32))
    return np.asarray(whole.resize((width, height), Image.Resampling.BILINEAR), np.float32)


def _fallen(draw: np.random.Generator, sheet_hw: tuple[int, int], rate_mm_h: float) -> _Drops:
    """The drops of one exposure."""
    height, width = sheet_hw
    focal_px = _FOCAL * _DRAWN_PX
    slope = slope_per_mm(rate_mm_h)
    volume_m3 = height * width / focal_px**2 * (_FAR_M**3 - _NEAR_M**3) / 3
    share = math.exp(-slope * _LEAST_MM) - math.exp(-slope * _MOST_MM)
    count = draw.poisson(_DROPS_PER_M3_MM / slope * share * volume_m3)
    # Both by their inverse distribution functions.
    diameter_mm = -np.log(math.exp(-slope * _LEAST_MM) - share * draw.random(count)) / slope
    far_m = np.cbrt(_NEAR_M**3 + (_FAR_M**3 - _NEAR_M**3) * draw.random(count))
    speed_m_s = 9.65 - 10.3 * np.exp(-0.6 * diameter_mm)
    return _Drops(
        diameter_mm / 1000,
        draw.random(count) * width,
        draw.random(count) * height,
        far_m,
        speed_m_s * _EXPOSURE_S * focal_px / far_m,
    )
