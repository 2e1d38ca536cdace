"""What records of what happened to streams hold: events and dead letters."""

from __future__ import annotations

import io
import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.client.result import Result
from pipeline.records.record import Message


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Event(Result):
    """Something happened to a stream.

    Attributes:
        kind: `started`, `dropped`, `disconnected`, `ended`, ...
        position: of the last frame before; of `started` the first one; "" where there was none.
        detail: for a person.
        data: all that is said, JSON values.
    """

    kind: str
    position: str
    detail: str
    data: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DeadLetter(Result):
    """A frame that an operator failed on, or whose record was too large for its topic.

    Attributes:
        operator: which one.
        error: kind of the error.
        position: of the frame.
        detail: for a person.
        traceback: the innermost calls.
        picture: uint8 `[h, w, 3]`, the frame as the model saw it, where the run was asked for it.
        picture_step: 1 where `picture` has every pixel, n for every n-th of every n-th row.
    """

    operator: str
    error: str
    position: str
    detail: str
    traceback: str = field(repr=False)
    picture: NDArray[np.uint8] | None = field(default=None, repr=False)
    picture_step: int | None = None


def event(said: Mapping[str, Any], message: Message) -> Event:
    """Of a record of topic `events`."""
    data = json.loads(message.value)
    detail = data.get("detail", "")
    return Event(**said, kind=data["kind"], position=data["position"], detail=detail, data=data)


def dead_letter(said: Mapping[str, Any], message: Message) -> DeadLetter:
    """Of a record of topic `deadletter`."""
    data = json.loads(message.value)
    names = ("operator", "error", "position", "detail", "traceback")
    shown: dict[str, Any] = {}
    if "picture" in data:
        png = b64decode(data["picture"]["png"], validate=True)
        with Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
            shown = {"picture": np.asarray(picture), "picture_step": data["picture"]["step"]}
    return DeadLetter(**said, **{name: data[name] for name in names}, **shown)
