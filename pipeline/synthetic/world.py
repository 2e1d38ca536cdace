"""A scene at one instant: a shell, the bodies in it, and how each surface looks.

Rays in -> depth and surface ids; those in -> colours and classes. Knows no time and no picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .rays import FloatArray, Hits, Rays
from .solids import Solid
from .surfaces import Painted, Surface

Window = tuple[slice, slice]


class Enclosure(Protocol):
    """What rays meet that meet no body: a room's shell, or the outdoors. Asked once per band."""

    def intersect(self, rays: Rays) -> tuple[FloatArray, NDArray[np.uint8]]:
        """Return t float32, finite everywhere, and the face uint8, in the rays' shape."""


@dataclass(frozen=True, slots=True)
class Body:
    """A solid and its visible surfaces, indexed by the face that `intersect` reports.

    `instance`: which countable thing it is a part of; 0: of none.
    """

    solid: Solid
    surfaces: tuple[Surface, ...]
    instance: int = 0


@dataclass(frozen=True, slots=True)
class Traced:
    """What rays [H, W] met first: t float32 [H, W] (z-depth, metres), surface ids uint8 [H, W]."""

    rays: Rays
    t: FloatArray
    ids: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class World:
    """The enclosure with its surfaces, and the bodies; surface ids count them in this order."""

    shell: Enclosure
    faces: tuple[Surface, ...]
    bodies: tuple[Body, ...]

    @property
    def patches_outlined(self) -> bool:
        """Whether classes within a surface have outlines to smooth, as surfaces have."""
        return False

    def instances(self) -> NDArray[np.uint16]:
        """Return of each surface id whose instance it is, 0 where nobody's; uint16 [ids]."""
        owners = [0] * len(self.faces)
        for body in self.bodies:
            owners += [body.instance] * len(body.surfaces)
        return np.array(owners, np.uint16)

    def trace(self, rays: Rays, windows: Sequence[Window | None]) -> Traced:
        """Return what each ray meets first.

        Args:
            rays: directions [H, W], starting inside the shell and outside every body.
            windows: per body the part of [H, W] that may meet it, or None for no part.
        """
        t, ids = self.shell.intersect(rays)
        first_id = len(self.faces)
        for body, window in zip(self.bodies, windows, strict=True):
            if window is not None:
                entry, face = body.solid.intersect(rays.window(*window))
                nearer = entry < t[window]
                np.copyto(t[window], entry, where=nearer)
                np.copyto(ids[window], face + np.uint8(first_id), where=nearer)
            first_id += len(body.surfaces)
        return Traced(rays, t, ids)

    def paint(self, traced: Traced, focal_px: float) -> Painted:
        """Return the lit colours and the classes of all traced rays, in flat order."""
        surfaces = self.faces + tuple(s for body in self.bodies for s in body.surfaces)
        flat_ids = traced.ids.ravel()
        colours = np.empty((3, flat_ids.size), np.float32)
        classes = np.empty(flat_ids.size, np.uint8)
        for surface_id in np.flatnonzero(np.bincount(flat_ids)):
            pixels = np.flatnonzero(flat_ids == surface_id)
            hits = Hits(traced.rays.take(pixels), traced.t.ravel().take(pixels), focal_px)
            painted = surfaces[surface_id].paint(hits)
            for channel in range(3):
                colours[channel][pixels] = painted.colours[channel]
            classes[pixels] = painted.classes
        return Painted(colours, classes)
