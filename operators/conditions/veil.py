"""What lies in the air between camera and things: it takes their light and adds its own.

Koschmieder 1924: of the light of a thing at distance d a part exp(-b d) arrives, b being the
extinction per metre, and what was lost is replaced by airlight. Distance is depth along the
optical axis here, which towards the corners is somewhat less than along the ray.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from operators.conditions.linear_light import Light, luminance
from operators.conditions.view import View

_VISIBILITY_M = 50.0  # below it weather services call fog dense
# Visibility is where contrast is down to 0.05 (WMO-No. 8, meteorological optical range).
_OPTICAL_DEPTH = -math.log(0.05)
_CLEAREST = np.finfo(np.float32).tiny  # per metre; of none, what is infinitely far has no light
_AIRLIGHT = 0.95  # quantile of a picture's luminance


def fog(view: View, strength: float) -> Light:
    """Visibility of 50 m, at twice the strength 25 m; a view without depth stays clear."""
    if view.depth_m is None:
        return view.light
    return veiled(view.light, view.depth_m, _OPTICAL_DEPTH * strength / _VISIBILITY_M)


def veiled(light: Light, depth_m: NDArray[np.float32], extinction_per_m: float) -> Light:
    """A picture through air.

    Args:
        light: `[H, W, 3]`.
        depth_m: `[H, W]`, inf where there is nothing.
        extinction_per_m: b.
    """
    clear = max(np.float32(extinction_per_m), _CLEAREST)
    arrives = np.exp(-clear * depth_m)[..., None]
    seen: Light = light * arrives + airlight(light) * (1 - arrives)
    return seen


def airlight(light: Light) -> np.float32:
    """Light of the air, grey: as bright as the brightest twentieth of the picture begins."""
    return np.float32(np.quantile(luminance(light), _AIRLIGHT))


def filled(depth_m: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Depth `[H, W]` with that of the nearest known pixel where it is 0, for unknown; None where
    none is known."""
    unknown = depth_m <= 0
    if unknown.all():
        return None
    rows, columns = distance_transform_edt(unknown, return_distances=False, return_indices=True)
    whole: NDArray[np.float32] = depth_m[rows, columns]
    return whole
