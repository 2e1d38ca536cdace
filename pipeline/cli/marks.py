"""Clicks and boxes as a command line writes them: text in -> pixels out."""

from __future__ import annotations

import math
from contextlib import suppress

from operators.errors import UsageError

_FORMS = {2: "X,Y, such as 310,220", 4: "X0,Y0,X1,Y1, such as 280,190,340,260"}


def pixels_of(option: str, numbers: str, text: str, count: int) -> tuple[float, ...]:
    """As many numbers as a click (2) or a box (4) has.

    Args:
        option: that they were given with, for the error's text.
        numbers: with commas in between.
        text: all of what was given, for the error's text.
        count: how many.

    Raises:
        UsageError: others, or no finite numbers.
    """
    with suppress(ValueError):
        found = tuple(float(part) for part in numbers.split(","))
        if len(found) == count and all(map(math.isfinite, found)):
            return found
    raise UsageError(f"{option} takes {_FORMS[count]}; got {text!r}")
