"""How surfaces of training scenes look: a stocked texture, tinted and repeated -> lit colours.

Light is worked out where it is seen, not baked into a texture: small pictures have few pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .dice import Dice
from .light import Lighting
from .panel import Frame
from .pool import MATERIALS, stocked
from .rays import FloatArray, Hits
from .sheet import Tint
from .sunlight import CastShadow
from .surfaces import Painted
from .texture import Texture
from .vector import Vec3, dot, length, minus

_CORNER_M = 0.28


@dataclass(frozen=True, slots=True)
class Coat:
    """A texture that repeats every `tile_m`, mirrored (None: it is stretched over the whole face).

    `tint` multiplies its display colours. A coat that glows is as bright as it is drawn.
    """

    texture: Texture
    tint: Tint
    class_id: int
    tile_m: tuple[float, float] | None = None
    glows: bool = False

    def colours(
        self, x_m: FloatArray, y_m: FloatArray, size_m: tuple[float, float], pixel_m2: FloatArray
    ) -> FloatArray:
        """Return display colours 0..255, float32 [3, N].

        Args:
            x_m, y_m: float32 [N], metres from the face's left and top edge.
            size_m: the face's width and height.
            pixel_m2: float32 [N], how much of the face a pixel covers.
        """
        wide_m, tall_m = self.tile_m or size_m
        u, v = x_m * (1.0 / wide_m), y_m * (1.0 / tall_m)
        if self.tile_m is not None:
            u, v = _mirrored(u), _mirrored(v)
        rows, cols = self.texture.size_hw
        colours = self.texture.sample(u, v, pixel_m2 * (rows * cols / (wide_m * tall_m)))
        for channel, factor in enumerate(self.tint):
            colours[channel] *= factor
        return colours


def coat(
    dice: Dice, material: str, tint: Tint, class_id: int, *, whole: bool = False, scale: float = 1.0
) -> Coat:
    """Return a coat of a random variant of a material.

    Args:
        dice: picks the variant.
        material: one of `pool.MATERIALS`.
        tint: factors on its display colours.
        class_id: what the mask says.
        whole: stretch it over the face instead of repeating it.
        scale: factor on the size of what repeats.
    """
    stock = MATERIALS[material]
    texture = stocked(material, dice.pick(range(stock.variants)))
    tile_m = None if whole else (stock.size_m[0] * scale, stock.size_m[1] * scale)
    return Coat(texture, tint, class_id, tile_m)


@dataclass(frozen=True, slots=True)
class Decal:
    """A coat on a part of a face: its corner and size, metres from the face's top left corner."""

    coat: Coat
    corner_m: tuple[float, float]
    size_m: tuple[float, float]


@dataclass(frozen=True, slots=True)
class CoatedFace:
    """A flat rectangle with a coat, decals on it (a later one wins), light and perhaps shadows.

    `enclosing`: the face of a room, darker towards the next face; else the face of a body, darker
    towards the floor.
    """

    frame: Frame
    coat: Coat
    light: Lighting
    decals: tuple[Decal, ...] = ()
    shadow: CastShadow | None = None
    enclosing: bool = False

    def paint(self, hits: Hits) -> Painted:
        """Return the lit colours and the classes of `hits`."""
        size_m = length(self.frame.right), length(self.frame.down)
        u, v = self.frame.uv(hits)
        x_m, y_m = u * size_m[0], v * size_m[1]
        pixel_m2 = self._pixel_m2(hits)
        colours = self.coat.colours(x_m, y_m, size_m, pixel_m2)
        light = self._light(hits, x_m, y_m)
        classes = np.full(hits.t.size, self.coat.class_id, np.uint8)
        for decal in self.decals:
            left, top = x_m - decal.corner_m[0], y_m - decal.corner_m[1]
            wide, tall = decal.size_m
            inside = (left >= 0.0) & (left < wide) & (top >= 0.0) & (top < tall)
            at = np.flatnonzero(inside)
            if at.size:
                here = left.take(at), top.take(at), decal.size_m, pixel_m2.take(at)
                colours[:, at] = decal.coat.colours(*here)
                classes[at] = decal.coat.class_id
                if decal.coat.glows:
                    light[at] = 1.0
        return Painted(colours * light, classes)

    def _light(self, hits: Hits, x_m: FloatArray, y_m: FloatArray) -> FloatArray:
        points = hits.points()
        light = np.broadcast_to(self.light.irradiance(points, self.frame.normal), hits.t.shape)
        if self.shadow is not None:
            light = light * self.shadow.factor(points)
        if self.enclosing:
            wide, tall = length(self.frame.right), length(self.frame.down)
            light = light * (_edge(x_m) * _edge(wide - x_m) * _edge(y_m) * _edge(tall - y_m))
        else:
            light = light * np.minimum(points[2] * 0.5 + 0.62, 1.0)
        return np.sqrt(light)

    def _pixel_m2(self, hits: Hits) -> FloatArray:
        """As `panel.Panel`: (t / focal)^2 of a facing plane, over the cosine of a tilted one."""
        distance = abs(dot(minus(hits.rays.origin, self.frame.corner), self.frame.normal))
        factor = 1.0 / (hits.focal_px**2 * max(distance, 1e-3))
        return hits.t * hits.t * hits.t * factor


@dataclass(frozen=True, slots=True)
class CoatedRound:
    """A sphere or an upright cylinder with a coat that hangs in space around `centre`."""

    centre: Vec3
    radius: float
    coat: Coat
    light: Lighting
    upright: bool = False

    def paint(self, hits: Hits) -> Painted:
        """Return the lit colours and the coat's class."""
        x, y, z = hits.points()
        left, front, up = x - self.centre[0], y - self.centre[1], z - self.centre[2]
        scale = 1.0 / self.radius
        normal = (left * scale, front * scale, 0.0 if self.upright else up * scale)
        pixel_m2 = hits.t * hits.t * (2.0 / hits.focal_px**2)
        unfolded = left + front * 0.6
        colours = self.coat.colours(unfolded, up, (1.0, 1.0), pixel_m2)
        light = np.sqrt(self.light.irradiance((x, y, z), normal))
        return Painted(colours * light, self.coat.class_id)


def _mirrored(position: FloatArray) -> FloatArray:
    """0..1 and back again: every other tile is a mirror image, so that no seam shows."""
    half = position * 0.5
    mirrored: FloatArray = np.abs((half - np.floor(half)) * 2.0 - 1.0)
    return mirrored


def _edge(distance_m: FloatArray) -> FloatArray:
    share = distance_m * (1 / _CORNER_M)
    return 1.0 - 0.34 / (1.0 + share * share)
