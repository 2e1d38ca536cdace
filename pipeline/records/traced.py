"""Messages of frames that are traced say so, for whoever goes on with the trace."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from operators.frames import FrameInfo
from operators.operator import Operator
from operators.result import Result
from pipeline.records.message import Publisher
from pipeline.records.record import Message
from pipeline.stream.trace_context import TraceContext


class TracedPublisher(Publisher):
    """Adds `traceparent`, as CloudEvents' extension for distributed tracing has it. Of a window it
    is that of its last frame."""

    def __init__(
        self, stream: str, job: str, model: str, ratio: float, *, live: bool = False
    ) -> None:
        """
        Args:
            stream, job, model, live: of `Publisher`.
            ratio: part of the frames that are traced, 0 to 1.
        """
        super().__init__(stream, job, model, live=live)
        self._ratio = ratio

    def record(self, result: Result, variant: str, operator: Operator) -> Message:
        return self._traced(super().record(result, variant, operator), result.info)

    def dead_letter(self, info: FrameInfo, operator: str, error: Exception, **more: Any) -> Message:
        return self._traced(super().dead_letter(info, operator, error, **more), info)

    def _traced(self, message: Message, info: FrameInfo) -> Message:
        context = TraceContext.of(info, self._ratio)
        if context is None:
            return message
        headers = {**message.headers, "ce_traceparent": context.traceparent}
        return replace(message, headers=headers)
