"""What covers the surfaces of training scenes: the stock of textures, repeats, decals, shadows."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.synthetic.coat import Coat, CoatedFace, Decal
from pipeline.synthetic.light import Light
from pipeline.synthetic.panel import Frame
from pipeline.synthetic.pool import MATERIALS, stocked
from pipeline.synthetic.rays import Hits, Rays
from pipeline.synthetic.solids import Box, Solid, Sphere
from pipeline.synthetic.sunlight import CastShadow, Sunlight
from pipeline.synthetic.texture import Texture
from pipeline.synthetic.vector import unit

AXES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
LIGHT = Light((0.0, 0.0, 2.0), (0.0, 0.6, 0.8))
# A wall 4 m wide and 2 m high at y = 3, seen from the origin at 1 m.
WALL = Frame((-2.0, 3.0, 2.0), (4.0, 0.0, 0.0), (0.0, 0.0, -2.0))


def _hits(x: list[float], z: list[float]) -> Hits:
    """Hits on WALL at these places, from (0, 0, 1)."""
    dx = np.array(x, np.float32) / 3
    dz = (np.array(z, np.float32) - 1) / 3
    rays = Rays((0.0, 0.0, 1.0), dx, np.ones_like(dx), dz)
    return Hits(rays, np.full(len(x), 3.0, np.float32), 100.0)


def _flat(level: float) -> Texture:
    return Texture(np.full((4, 4, 3), level, np.float32))


@pytest.mark.parametrize("name", MATERIALS)
def test_every_material_has_a_picture_in_every_variant(name: str) -> None:
    material = MATERIALS[name]
    for variant in range(material.variants):
        texture = stocked(name, variant)
        assert texture.size_hw == material.texels_hw
        assert stocked(name, variant) is texture
        centres = (np.arange(8, dtype=np.float32) + 0.5) / 8
        u, v = (grid.ravel() for grid in np.meshgrid(centres, centres))
        colours = texture.sample(u, v, np.zeros(64, np.float32))
        assert colours.max() > 20.0


def test_a_repeated_coat_has_no_seam() -> None:
    ramp = np.linspace(0.0, 1.0, 64, dtype=np.float32)[None, :, None]
    coat = Coat(Texture(np.tile(ramp, (64, 1, 3))), (1.0, 1.0, 1.0), 1, (1.0, 1.0))
    x_m = np.linspace(0.0, 5.0, 2000, dtype=np.float32)
    still = np.zeros_like(x_m)
    colours = coat.colours(x_m, still, (5.0, 1.0), still)[0]
    assert np.abs(np.diff(colours)).max() < 5.0
    assert np.ptp(colours) > 240.0


def test_a_decal_has_its_class_within_its_edges_and_the_later_one_wins() -> None:
    white = (1.0, 1.0, 1.0)
    decals = (
        Decal(Coat(_flat(0.5), white, 5), (1.0, 0.5), (2.0, 1.0)),
        Decal(Coat(_flat(0.9), white, 6, glows=True), (2.5, 0.5), (1.0, 1.0)),
    )
    face = CoatedFace(WALL, Coat(_flat(0.2), white, 0), LIGHT, decals, enclosing=True)
    painted = face.paint(_hits([-1.5, -0.9, 0.4, 0.6, 1.4, 1.6], [1.0] * 6))
    assert np.asarray(painted.classes).tolist() == [0, 5, 5, 6, 6, 0]
    np.testing.assert_allclose(painted.colours[:, 3:5], 0.9 * 255, atol=1.5)
    assert painted.colours[0, 0] < painted.colours[0, 1]


@pytest.mark.parametrize("lamp", [(0.4, -0.3, 2.6), (180.0, 60.0, 220.0), (5.0, 40.0, 60.0)])
def test_looking_for_shadows_only_where_they_may_fall_misses_none(
    lamp: tuple[float, float, float],
) -> None:
    grid = np.linspace(-6.0, 6.0, 121, dtype=np.float32)
    x, y = (a.ravel() for a in np.meshgrid(grid, grid))
    points = (x, y, np.zeros_like(x))
    solids: list[Solid] = [
        Sphere((1.0, 1.0, 0.4), 0.4, AXES),
        Sphere((-2.0, 0.5, 1.7), 0.5, AXES),
        Box((-1.0, -2.0, 0.5), (0.6, 0.3, 0.5), 0.7),
        Box((3.0, -3.0, 1.2), (0.3, 0.3, 1.2), 0.2),
    ]
    rays = Rays(lamp, x - lamp[0], y - lamp[1], np.full_like(x, -lamp[2]))
    hidden = np.any([solid.intersect(rays)[0] < 0.9999 for solid in solids], axis=0)
    assert 20 < hidden.sum() < x.size / 2
    shadow = CastShadow(lamp, solids, 0.25).factor(points)
    contact = CastShadow(lamp, solids, 1.0).factor(points)
    np.testing.assert_allclose(shadow / contact, np.where(hidden, 0.25, 1.0), rtol=1e-6)


def test_the_sun_lights_what_faces_it_and_the_sky_lights_all() -> None:
    sun = Sunlight(unit((1.0, 0.0, 1.0)), power=0.8, sky=0.4)
    origin = (0.0, 0.0, 0.0)
    towards, up, away = (
        float(sun.irradiance(origin, normal))
        for normal in (unit((1.0, 0.0, 1.0)), (0.0, 0.0, 1.0), (-1.0, 0.0, 0.0))
    )
    assert towards > up > away > 0.2
    assert away == pytest.approx(0.4 * 0.75)
