"""A world and a camera -> one frame: colours, metric depth and class mask; or its instances.

Depth and classes belong to each pixel's centre, exactly. Colours are one ray per pixel, and four
where neighbouring pixels show different surfaces, so that outlines are smooth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .panel import ClassArray
from .rays import FloatArray, IndexArray
from .solids import Solid
from .surfaces import Painted
from .world import Traced, Window, World

# Bands of this many pixels keep a dozen float32 arrays inside a 2 MiB cache.
_BAND_PIXELS = 1 << 15
# Corners nearer than this to the camera's plane have pictures too far out to be of use.
_NEAR_M = 0.05
# A rotated grid: four samples with four distinct columns and rows.
_SUBPIXELS_XY = ((-0.125, -0.375), (0.375, -0.125), (0.125, 0.375), (-0.375, 0.125))


@dataclass(frozen=True, slots=True)
class SceneFrame:
    """One rendered frame, three arrays of one size.

    rgb: uint8 [H, W, 3]. depth_m: float32 [H, W], z-depth: metres along the optical axis, not
    along the ray. classes: uint8 [H, W], ids of `labels.PEOPLED`.
    """

    rgb: NDArray[np.uint8]
    depth_m: NDArray[np.float32]
    classes: ClassArray


class View:
    """A world in a camera's picture: which rays may meet which body."""

    __slots__ = ("_camera", "_windows", "_world")

    def __init__(self, world: World, camera: Camera) -> None:
        self._world = world
        self._camera = camera
        self._windows = [_window(camera, body.solid) for body in world.bodies]

    def trace_rows(self, rows: slice) -> Traced:
        """Return what the centres of these rows' pixels show, [rows, W]."""
        x_px = np.arange(self._camera.size_hw[1], dtype=np.float32)[None, :] + 0.5
        y_px = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + 0.5
        windows = [_cut(window, rows) for window in self._windows]
        return self._world.trace(self._camera.rays(x_px, y_px), windows)

    def trace_samples(self, pixels: IndexArray) -> Traced:
        """Return what four points in each of these pixels (ascending flat indices) show, [4, N]."""
        row, column = np.divmod(pixels, self._camera.size_hw[1])
        offsets = np.array(_SUBPIXELS_XY, np.float32) + 0.5
        x_px = column.astype(np.float32) + offsets[:, :1]
        y_px = row.astype(np.float32) + offsets[:, 1:]
        windows = [_among(window, row) for window in self._windows]
        return self._world.trace(self._camera.rays(x_px, y_px), windows)

    def paint(self, traced: Traced) -> Painted:
        """Return the colours and classes of traced rays, in flat order."""
        return self._world.paint(traced, self._camera.focal_px)


def render_frame(world: World, camera: Camera) -> SceneFrame:
    """Return what a camera sees of a world; the camera is inside the shell, outside all bodies.

    Args:
        world: built for this camera's position, since it holds only the box faces seen from there.
        camera: decides the picture's size.
    """
    height, width = camera.size_hw
    frame = SceneFrame(
        np.empty((height, width, 3), np.uint8),
        np.empty((height, width), np.float32),
        np.empty((height, width), np.uint8),
    )
    view = View(world, camera)
    ids = np.empty((height, width), np.uint8)
    for rows in _bands(camera.size_hw):
        traced = view.trace_rows(rows)
        painted = view.paint(traced)
        shape = traced.t.shape
        frame.rgb[rows] = _displayed(painted.colours).T.reshape(*shape, 3)
        frame.depth_m[rows] = traced.t
        frame.classes[rows] = np.reshape(painted.classes, shape)
        ids[rows] = traced.ids
    marked = _outlines(ids)
    if world.patches_outlined:
        marked |= _outlines(frame.classes)
    _smooth_outlines(frame.rgb, np.flatnonzero(marked), view)
    return frame


def trace_instances(world: World, camera: Camera) -> tuple[NDArray[np.uint16], NDArray[np.float32]]:
    """Return instance ids uint16 [H, W], 0 where there is none, and depths float32 [H, W].

    By the same rays as `render_frame`, in a quarter of its time or less: nothing is painted.
    """
    owners, view = world.instances(), View(world, camera)
    mask = np.empty(camera.size_hw, np.uint16)
    depth_m = np.empty(camera.size_hw, np.float32)
    for rows in _bands(camera.size_hw):
        traced = view.trace_rows(rows)
        mask[rows] = owners.take(traced.ids)
        depth_m[rows] = traced.t
    return mask, depth_m


def _bands(size_hw: tuple[int, int]) -> Iterator[slice]:
    height, width = size_hw
    band_rows = max(1, _BAND_PIXELS // width)
    for top in range(0, height, band_rows):
        yield slice(top, min(top + band_rows, height))


def _window(camera: Camera, solid: Solid) -> Window | None:
    """Where a solid may be: around its corners, or around its bounding ball if that is safer."""
    corners = solid.corners
    if corners and camera.ahead(corners, _NEAR_M):
        return camera.hull_window(corners)
    return camera.window(solid.centre, solid.reach)


def _cut(window: Window | None, rows: slice) -> Window | None:
    """The window's part in a band, in the band's own rows."""
    if window is None:
        return None
    first = max(window[0].start, rows.start)
    last = min(window[0].stop, rows.stop)
    return (slice(first - rows.start, last - rows.start), window[1]) if first < last else None


def _among(window: Window | None, row: IndexArray) -> Window | None:
    """Which of the pixels in ascending rows lie in the window's rows."""
    if window is None:
        return None
    first, last = np.searchsorted(row, (window[0].start, window[0].stop))
    return (slice(None), slice(int(first), int(last))) if first < last else None


def _displayed(colours: FloatArray) -> NDArray[np.uint8]:
    rounded: NDArray[np.uint8] = np.minimum(colours + 0.5, 255.0).astype(np.uint8)
    return rounded


def _outlines(ids: NDArray[np.uint8]) -> NDArray[np.bool_]:
    marked = np.zeros(ids.shape, np.bool_)
    beside = ids[:, 1:] != ids[:, :-1]
    marked[:, 1:] |= beside
    marked[:, :-1] |= beside
    below = ids[1:] != ids[:-1]
    marked[1:] |= below
    marked[:-1] |= below
    return marked


def _smooth_outlines(rgb: NDArray[np.uint8], outlines: IndexArray, view: View) -> None:
    """Replace the colours at ascending flat indices by the mean of four samples, in place."""
    pixels = rgb.reshape(-1, 3)
    chunk = _BAND_PIXELS // len(_SUBPIXELS_XY)
    for start in range(0, outlines.size, chunk):
        part = outlines[start : start + chunk]
        traced = view.trace_samples(part)
        colours = np.minimum(view.paint(traced).colours, 255.0)
        first, second, third, fourth = colours.reshape(3, 4, -1).transpose(1, 0, 2)
        pixels[part] = _displayed((first + second + third + fourth) * 0.25).T
