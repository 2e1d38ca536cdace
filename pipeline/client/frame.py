"""What records of pictures hold."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.client.result import Result
from pipeline.records.record import Message


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame(Result):
    """What a stream showed.

    Attributes:
        jpeg: bytes of the picture, as they were published.
        blurred: classes that are unrecognisable in it, wherever they were found.
    """

    jpeg: bytes = field(repr=False)
    blurred: tuple[str, ...]

    def rgb(self) -> NDArray[np.uint8]:
        """Its pixels, uint8 `[h, w, 3]`.

        Raises:
            OSError: the bytes are no whole JPEG.
        """
        with Image.open(io.BytesIO(self.jpeg), formats=["JPEG"]) as image:
            return np.asarray(image.convert("RGB"))


def frame(said: Mapping[str, Any], message: Message) -> Frame:
    """Of a record of topic `frames`."""
    with Image.open(io.BytesIO(message.value), formats=["JPEG"]):
        pass  # whose beginning says what it is; decoding is up to who looks at it
    blurred = message.headers.get("ce_blurred", "")
    return Frame(**said, jpeg=message.value, blurred=tuple(blurred.split(",") if blurred else ()))
