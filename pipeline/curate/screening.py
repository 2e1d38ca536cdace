"""A user's own say over pictures: `module:function`, which gives None, or why a picture is refused.

Knows nothing of where pictures come from.
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from operators.errors import DinostreamError, UsageError
from operators.names import look_here

Screen = Callable[[NDArray[np.uint8]], str | None]
"""A picture, uint8 RGB `[H, W, 3]` -> None to let it in, or why not."""


def screen_of(name: str) -> Screen:
    """The function that a user named.

    Args:
        name: `module:function`; the module is looked for in the current folder too.

    Raises:
        UsageError: there is none.
    """
    module_name, _, function_name = name.partition(":")
    if not (module_name and function_name):
        raise UsageError(f"--filter takes MODULE:FUNCTION, got {name!r}")
    look_here()
    try:
        found = getattr(importlib.import_module(module_name), function_name)
    except Exception as error:  # whatever a user's module does wrong while it loads
        raise UsageError(
            f"--filter {name} cannot be had: {error!r}; the module is looked for in the current "
            "folder and on PYTHONPATH"
        ) from error
    if not callable(found):
        raise UsageError(f"--filter {name}: {function_name} is no function")
    screen: Screen = found
    return screen


def screened(screen: Screen, jpeg: bytes, *, name: str, what: str) -> str | None:
    """What it says of one picture.

    Args:
        screen: the function.
        jpeg: the picture.
        name: of the function, for an error's text.
        what: the picture, for it too.

    Raises:
        DinostreamError: the function fails.
        UsageError: it gives something else.
    """
    with Image.open(io.BytesIO(jpeg)) as image:
        pixels = np.asarray(image.convert("RGB"))
    try:
        said = screen(pixels)
    except Exception as error:
        raise DinostreamError(f"--filter {name} fails at {what}: {error!r}") from error
    if said is None or (isinstance(said, str) and said):
        return said
    raise UsageError(
        f"--filter {name}: gave {said!r} of {what}; want None, or a text that says why not"
    )
