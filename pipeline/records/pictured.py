"""Dead letters that show the frame, for whoever has to find out why it could not be done."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.frames import FrameInfo
from operators.png import rgb_png
from operators.result import canonical_json
from pipeline.records.record import Message, Refused
from pipeline.records.traced import TracedPublisher

LARGEST_BYTES = 256 << 10  # of a PNG; as base64 in a letter, far from the 1 MiB that brokers take


class PicturedPublisher(TracedPublisher):
    """Adds `picture`: the frame as the model saw it, all of it where that is small enough, else
    every second pixel of every second row, or every fourth, and so on."""

    def __init__(
        self,
        stream: str,
        job: str,
        model: str,
        ratio: float,
        pixels_of: Callable[[FrameInfo], NDArray[np.uint8] | None],
        *,
        live: bool = False,
    ) -> None:
        """
        Args:
            stream, job, model, ratio, live: of `TracedPublisher`.
            pixels_of: of a frame that an operator has just failed on, uint8 RGB `[H, W, 3]`; None
                where there are none.
        """
        super().__init__(stream, job, model, ratio, live=live)
        self._pixels_of = pixels_of

    def dead_letter(self, info: FrameInfo, operator: str, error: Exception, **more: Any) -> Message:
        pixels = self._pixels_of(info)
        if pixels is not None:
            more["picture"] = _picture(pixels)
        return super().dead_letter(info, operator, error, **more)


def without_picture(letter: Message, refused: Refused) -> Message | None:
    """A letter that its topic does not take, as it is without its picture; None: it has none."""
    said = json.loads(letter.value)
    if said.pop("picture", None) is None:
        return None
    said["picture_left_out"] = (
        f"with it a value of {refused.size_bytes} bytes; topic {refused.topic} takes "
        f"{refused.limit_bytes} with headers, compressed (max.message.bytes)"
    )
    value = canonical_json(said)
    start, _, job = letter.id.rpartition("/")
    place = start.rpartition(".")[0]  # behind it comes the digest of what the letter says
    identity = f"{place}.{hashlib.sha256(value).hexdigest()[:6]}/{job}"
    return replace(letter, headers={**letter.headers, "ce_id": identity}, value=value)


def _picture(pixels: NDArray[np.uint8]) -> dict[str, Any]:
    step = 1
    while len(png := rgb_png(pixels[::step, ::step])) > LARGEST_BYTES:
        step *= 2
    return {"png": b64encode(png).decode(), "step": step}
