"""The picture: smooth outlines, textures at any distance, shadows where they belong."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from pipeline.synthetic.camera import Camera
from pipeline.synthetic.light import Light
from pipeline.synthetic.rays import Hits
from pipeline.synthetic.renderer import render_frame
from pipeline.synthetic.shadow import FloorShadow
from pipeline.synthetic.shell import BOTTOM, Shell
from pipeline.synthetic.solids import Box, Sphere
from pipeline.synthetic.surfaces import Painted
from pipeline.synthetic.texture import Texture
from pipeline.synthetic.world import Body, World

AXES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
SHELL = Shell(4.0, 4.0, 3.0)


@dataclass(frozen=True)
class Plain:
    """A surface of one grey and one class."""

    grey: float
    class_id: int

    def paint(self, hits: Hits) -> Painted:
        return Painted(np.full((3, hits.t.size), self.grey, np.float32), self.class_id)


def test_an_outline_pixel_is_as_bright_as_it_is_covered() -> None:
    """Then a white ball on black gives its outline's area in pixels, which is known."""
    ball = Sphere((0.0, 2.0, 1.5), 0.5, AXES)
    world = World(SHELL, (Plain(0.0, 0),) * 6, (Body(ball, (Plain(255.0, 9),)),))
    camera = Camera.look_at((0.0, -1.0, 1.5), ball.centre, (64, 64))
    frame = render_frame(world, camera)
    half_angle = math.asin(0.5 / 3.0)
    area = math.pi * (camera.focal_px * math.tan(half_angle)) ** 2
    assert frame.rgb[..., 0].sum() / 255 == pytest.approx(area, rel=0.005)
    assert abs((frame.classes == 9).sum() / area - 1) < 0.05
    assert set(np.unique(frame.rgb)) == {0, 64, 128, 191, 255}


def test_every_pixel_a_body_covers_lies_in_its_window() -> None:
    """Windows only save work: without them the depth is the same."""
    bodies = [
        Body(Sphere((0.9, 0.3, 0.4), 0.4, AXES), (Plain(200.0, 9),)),
        Body(Box((-0.7, 0.9, 0.3), (0.5, 0.2, 0.3), 0.7), (Plain(90.0, 8),) * 3),
        Body(Sphere((0.1, -2.9, 1.2), 0.3, AXES), (Plain(200.0, 9),)),
        Body(Box((0.0, -3.6, 0.2), (0.1, 0.2, 0.2), 0.1), (Plain(90.0, 8),) * 3),
    ]
    world = World(SHELL, (Plain(0.0, 0),) * 6, tuple(bodies))
    camera = Camera.look_at((0.0, -3.0, 1.6), (0.2, 0.5, 0.5), (48, 80))
    depth = render_frame(world, camera).depth_m
    columns = np.arange(80, dtype=np.float32)[None, :] + 0.5
    rows = np.arange(48, dtype=np.float32)[:, None] + 0.5
    everywhere = [(slice(None), slice(None))] * len(bodies)
    assert np.array_equal(depth, world.trace(camera.rays(columns, rows), everywhere).t)
    assert len(np.unique(world.trace(camera.rays(columns, rows), everywhere).ids)) > 4


def test_a_texture_gives_its_texels_and_blends_between_them() -> None:
    generator = np.random.Generator(np.random.PCG64(1))
    texels = generator.integers(0, 256, (8, 16, 3)).astype(np.float32)
    texture = Texture(texels / 255)
    near = np.zeros(128, np.float32)
    row, column = np.divmod(np.arange(128), 16)
    u, v = ((column + 0.5) / 16).astype(np.float32), ((row + 0.5) / 8).astype(np.float32)
    assert np.array_equal(texture.sample(u, v, near).T.reshape(8, 16, 3), texels)
    between = texture.sample(u[:15] + np.float32(1 / 32), v[:15], near[:15])
    assert np.array_equal(between.T, (texels[0, :15] + texels[0, 1:]) / 2)


def test_a_texture_from_afar_is_its_mean_and_its_channels_stay_apart() -> None:
    texels = np.zeros((32, 32, 3), np.float32)
    texels[::2, ::2] = (1.0, 0.0, 1.0)
    place = np.full(5, 0.4, np.float32)
    far = Texture(texels).sample(place, place, np.full(5, 1e9, np.float32))
    assert np.abs(far - np.array([[63.75], [0.0], [63.75]])).max() <= 0.5


def test_shadows_lie_under_their_bodies() -> None:
    light = Light((0.0, 0.0, 2.9), (-0.74, 0.24, 0.63))
    floor = SHELL.frames()[BOTTOM]
    ball = Sphere((1.5, -2.0, 0.3), 0.3, AXES)
    shadow = FloorShadow(light, floor, [ball])
    u, v = np.meshgrid(np.linspace(0.01, 0.99, 99), np.linspace(0.01, 0.99, 99))
    dark = shadow.sample(u.ravel().astype(np.float32), v.ravel().astype(np.float32))
    # The floor is 8 m x 8 m; its rows run from the back wall (y = 4) to the front.
    from_ball_m = np.hypot(u.ravel() * 8 - 4 - 1.5, 4 - v.ravel() * 8 + 2.0)
    assert from_ball_m[dark.argmin()] < 0.4
    assert dark.min() < 0.5
    assert dark[from_ball_m > 2.0].min() > 0.98


def test_light_falls_off_with_distance_and_angle() -> None:
    light = Light((0.0, 0.0, 2.9), (0.0, 1.0, 0.0))
    below = light.irradiance((0.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    aside = light.irradiance((3.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    turned = light.irradiance((0.0, 0.0, 0.0), (0.0, 0.0, -1.0))
    assert below > aside > turned > 0.0
