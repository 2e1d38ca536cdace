"""One fact about one frame (or a span of frames), already encoded as any consumer will read it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from operators.format import JPEG, JSON, OCTETS, PNG
from operators.frames import FrameInfo

__all__ = ["JPEG", "JSON", "OCTETS", "PNG", "Result", "canonical_json", "record_id"]


_PART = re.compile(r"[A-Za-z0-9._-]{1,200}")
_CANONICAL = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


@dataclass(frozen=True, slots=True)
class Result:
    """What an operator says.

    Attributes:
        info: the frame, or the last frame of a span.
        operator: kind of record, also its topic: `depth`, `depth.summary`, ...
        content_type: media type of `data`, as the operator's `topics` declare it.
        data: the payload's bytes.
        attributes: further record attributes (CloudEvents extensions), names of a-z and 0-9.
        start: first frame of the span, where the result covers one.
        part: what tells it from others of the same frame and kind, of a-z A-Z 0-9 . _ -; empty
            where there is one only.
    """

    info: FrameInfo
    operator: str
    content_type: str
    data: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)
    start: FrameInfo | None = None
    part: str = ""

    def __post_init__(self) -> None:
        if self.part and not _PART.fullmatch(self.part):
            raise ValueError(f"a record's part is of A-Z a-z 0-9 . _ -, got {self.part!r}")


def record_id(result: Result, variant: str) -> str:
    """`operator/stream/session/position/variant`, `position.part` where there is a part: equal id
    means equal payload."""
    info, part = result.info, f".{result.part}" if result.part else ""
    return f"{result.operator}/{info.stream}/{info.session}/{info.position}{part}/{variant}"


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys and no blanks, so that equal values are equal bytes."""
    return _CANONICAL.encode(value).encode()
