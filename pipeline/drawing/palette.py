"""Colours that stay apart for colour-blind eyes too: a scale for depth, a set for classes.

Numbers and names in -> RGB out. Knows nothing of pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

RGB = tuple[int, int, int]

PAPER: RGB = (255, 255, 255)
INK: RGB = (31, 36, 48)
GREY: RGB = (107, 114, 128)
RULE: RGB = (226, 229, 234)
ACCENT: RGB = (0, 99, 132)
NOTHING: RGB = (205, 208, 213)  # unknown depth, classes without a colour of their own
WARNING: RGB = (146, 64, 14)
WARNING_PAPER: RGB = (254, 243, 199)

# Viridis (S. van der Walt and N. Smith, CC0), every eighth of it.
_VIRIDIS = np.array(
    [
        (68, 1, 84),
        (71, 44, 122),
        (59, 81, 139),
        (44, 113, 142),
        (33, 144, 141),
        (39, 173, 129),
        (92, 200, 99),
        (170, 220, 50),
        (253, 231, 37),
    ],
    np.float64,
)
# Paul Tol's muted scheme, in an order in which the first few differ most.
CLASS_COLOURS: tuple[RGB, ...] = (
    (136, 204, 238),
    (204, 102, 119),
    (221, 204, 119),
    (51, 34, 136),
    (68, 170, 153),
    (136, 34, 85),
    (17, 119, 51),
    (170, 68, 153),
    (153, 153, 51),
)


def depth_colours(depth_m: NDArray[np.float32], low_m: float, high_m: float) -> NDArray[np.uint8]:
    """Depth in colours: near is bright, far is dark, unknown is grey.

    Args:
        depth_m: float32 `[H, W]` metres, NaN where unknown.
        low_m, high_m: ends of the scale.

    Returns:
        RGB uint8 `[H, W, 3]`.
    """
    share = np.clip((high_m - depth_m.astype(np.float64)) / (high_m - low_m), 0.0, 1.0)
    known = np.isfinite(share)
    place = np.linspace(0.0, 1.0, len(_VIRIDIS))
    filled = np.where(known, share, 0.0)
    channels = [np.interp(filled, place, _VIRIDIS[:, channel]) for channel in range(3)]
    colours = np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
    colours[~known] = NOTHING
    return colours


def amount_colours(amounts: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint8]:
    """Amounts in the same colours: much is bright, little is dark.

    Args:
        amounts: float32 `[H, W]`, NaN where unknown.
        low, high: ends of the scale.

    Returns:
        RGB uint8 `[H, W, 3]`.
    """
    return depth_colours(amounts, high, low)


def class_colours(names: Sequence[str], kept: Mapping[str, RGB] | None = None) -> dict[str, RGB]:
    """A colour for each of the first names, as many as there are colours, in their order.

    Args:
        names: most important first.
        kept: names that have a colour already.
    """
    shown = names[: len(CLASS_COLOURS)]
    colours = {name: rgb for name, rgb in (kept or {}).items() if name in shown}
    free = [rgb for rgb in CLASS_COLOURS if rgb not in colours.values()]
    rest = [name for name in shown if name not in colours]
    colours |= dict(zip(rest, free, strict=False))
    return {name: colours[name] for name in shown}
