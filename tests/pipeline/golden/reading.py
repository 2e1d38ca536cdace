"""What a client reads of messages, as plain values that can be kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import fields, is_dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import subscribe
from pipeline.records.record import Message
from pipeline.records.topics import TOPICS
from pipeline.sinks.uri import open_sink

OF_THE_PLACE = ("partition", "offset", "published")


def read(messages: Sequence[Message], folder: Path) -> list[dict[str, Any]]:
    """What a strict subscriber of all topics gets of a sink that holds these.

    Args:
        folder: for the sink.
    """
    uri = f"sqlite:{folder / 'read.db'}"
    with closing(open_sink(uri)) as sink:
        sink.publish(messages)
    return [plain(result) for result in subscribe(uri, topics=[*TOPICS], follow=False, strict=True)]


def plain(value: Any) -> Any:
    """JSON values; of arrays and bytes a digest."""
    if is_dataclass(value):
        names = [one.name for one in fields(value) if one.name not in OF_THE_PLACE]
        return {"class": type(value).__name__} | {
            name: plain(getattr(value, name)) for name in names
        }
    if isinstance(value, np.ndarray):
        digest = hashlib.sha256(value.tobytes()).hexdigest()
        return {"dtype": str(value.dtype), "shape": list(value.shape), "sha256": digest}
    if isinstance(value, bytes):
        return {"bytes": len(value), "sha256": hashlib.sha256(value).hexdigest()}
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, datetime | Fraction):
        return str(value)
    return value


def holds(then: Any, now: Any) -> bool:
    """Whether all that was read then is read now; what is new beside it is no matter."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(
            name in now and holds(one, now[name]) for name, one in then.items()
        )
    if isinstance(then, list):
        return isinstance(now, list) and len(then) == len(now) and all(map(holds, then, now))
    return type(then) is type(now) and bool(then == now)
