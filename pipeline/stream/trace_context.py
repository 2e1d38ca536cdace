"""Which frames are traced, and the ids of their traces: functions of the frame alone. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from operators.frames import FrameInfo
from pipeline.stream.session import is_connection

_SAMPLED = 1  # the only flag of W3C's trace context that is set
_LOWER = 1 << 64  # OpenTelemetry's sampler decides by that many values, the lower ones of an id


@dataclass(frozen=True, slots=True)
class TraceContext:
    """Of one frame, wherever and whenever it is traced.

    Attributes:
        trace_id: of 128 bits.
        span_id: of 64 bits: what the frame took in all, which all others are below.
    """

    trace_id: int
    span_id: int

    @classmethod
    def of(cls, info: FrameInfo, ratio: float) -> TraceContext | None:
        """None where this frame is not traced, as of a recording: nobody knows when it was taken.

        Args:
            info: of the frame.
            ratio: part of the frames that are traced, 0 to 1.
        """
        if not is_connection(info.session):
            return None
        digest = hashlib.sha256(f"{info.stream}/{info.session}/{info.position}".encode()).digest()
        trace_id, span_id = int.from_bytes(digest[:16]), int.from_bytes(digest[16:24])
        return cls(trace_id, span_id) if trace_id % _LOWER < ratio * _LOWER else None

    def child_id(self, name: str) -> int:
        """Of the span of this name below the frame's."""
        digest = hashlib.sha256(f"{self.trace_id:032x}/{name}".encode()).digest()
        return int.from_bytes(digest[:8])

    @property
    def traceparent(self) -> str:
        """As W3C's header has it."""
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{_SAMPLED:02x}"
