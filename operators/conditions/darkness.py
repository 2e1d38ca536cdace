"""Too little light: the same light, only less of it, or the light of lamps at night."""

from __future__ import annotations

import numpy as np

from operators.conditions.linear_light import Light, luminance
from operators.conditions.sensor import exposed
from operators.conditions.view import View

_LOW_STOPS, _LOW_GAIN_STOPS = 4.0, 2.0
_NIGHT_STOPS, _NIGHT_GAIN_STOPS = 5.0, 2.5
# A black body of 2700 K (x 0.460, y 0.411) in linear sRGB at a luminance of 1, and the part of it
# that is left: the white balance of many cameras does not follow so far down.
_LAMPS = np.array((1.94, 0.80, 0.19), np.float32)
_LEFT = 0.5
_CONTRAST = 0.4


def low_light(view: View, strength: float) -> Light:
    """Four stops less light, of which gain brings back two: dim, and the noise can be seen."""
    return exposed(
        view.light, view.draw, stops=_LOW_STOPS * strength, gain_stops=_LOW_GAIN_STOPS * strength
    )


def night(view: View, strength: float) -> Light:
    """Five stops less, lamps instead of the sky, and the lit far brighter than the unlit.

    Lamps light what is near them: luminance L becomes L to the power of 1.4, so contrast rises and
    what was dim sinks into the dark. Their colour is that of a black body of 2700 K, half balanced.
    """
    bright = luminance(view.light)
    lit = view.light * bright ** np.float32(_CONTRAST * strength)
    cast = _LAMPS ** np.float32(_LEFT * strength)
    stops, gain_stops = _NIGHT_STOPS * strength, _NIGHT_GAIN_STOPS * strength
    return exposed(lit * cast, view.draw, stops=stops, gain_stops=gain_stops)
