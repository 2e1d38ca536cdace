"""A colour for a class that has none."""

from __future__ import annotations

import colorsys

_GOLDEN = 0.618033988749895  # of a turn of hue: neighbours in the list differ most


def colour(id_: int) -> tuple[int, int, int]:
    """Red, green, blue: hues a golden section apart, light and dark in turns."""
    red, green, blue = colorsys.hls_to_rgb(id_ * _GOLDEN % 1.0, 0.65 if id_ % 2 else 0.42, 0.6)
    return round(red * 255), round(green * 255), round(blue * 255)
