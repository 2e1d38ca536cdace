"""Spans of frames over OTLP/HTTP: the only file that knows OpenTelemetry.

Where they go is said by its own environment variables, `OTEL_EXPORTER_OTLP_ENDPOINT` and others.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from operators.errors import UsageError
from pipeline.engine.latency import STAGES
from pipeline.engine.reasons import brief
from pipeline.engine.tracer import TracedFrame

try:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExportResult
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
except ImportError as error:
    raise UsageError(
        "trace wants OpenTelemetry, which is not installed where the engine runs: pip install "
        f"'.[otel]', or leave trace out ({error})"
    ) from error

SEND_S = 5.0  # what sending may take, new tries included


class _Words(logging.Handler):
    """What the exporter says first of why it fails. It says much more, at every try."""

    first = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.first = self.first or brief(record.getMessage())


class OtlpSender:
    """Implements `pipeline.engine.tracer.Sender`."""

    def __init__(self) -> None:
        self._words = _Words()
        exporters = logging.getLogger("opentelemetry.exporter")
        exporters.handlers, exporters.propagate = [self._words], False
        self._exporter = OTLPSpanExporter(timeout=SEND_S)
        self._resource = Resource.create({"service.name": "dinostream"})
        self._scope = InstrumentationScope("dinostream")

    @property
    def why(self) -> str:
        return self._words.first

    def send(self, frames: Sequence[TracedFrame]) -> bool:
        self._words.first = ""
        spans = [span for frame in frames for span in self._spans(frame)]
        return self._exporter.export(spans) is SpanExportResult.SUCCESS

    def close(self) -> None:
        self._exporter.shutdown()

    def _spans(self, frame: TracedFrame) -> Iterator[ReadableSpan]:
        """One for the frame, from its capture until its records are in the sink, and below it one
        for each stage."""
        context, info, spent = frame
        whole = self._context(context.trace_id, context.span_id)
        began_us = info.ingest_time_us - spent.decode_s * 1e6
        end_us = began_us
        for stage, spent_s in zip(STAGES, spent, strict=True):
            start_us, end_us = end_us, end_us + spent_s * 1e6
            part = self._context(context.trace_id, context.child_id(stage))
            yield self._span(stage, part, start_us, end_us, parent=whole)
        yield self._span(
            "frame",
            whole,
            began_us,
            end_us,
            kind=SpanKind.PRODUCER,
            attributes={
                "dinostream.stream": info.stream,
                "dinostream.session": info.session,
                "dinostream.position": info.position,
            },
        )

    def _context(self, trace_id: int, span_id: int) -> SpanContext:
        return SpanContext(trace_id, span_id, False, TraceFlags(TraceFlags.SAMPLED))

    def _span(
        self,
        name: str,
        context: SpanContext,
        start_us: float,
        end_us: float,
        *,
        parent: SpanContext | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: dict[str, str] | None = None,
    ) -> ReadableSpan:
        return ReadableSpan(
            name,
            context=context,
            parent=parent,
            resource=self._resource,
            attributes=attributes,
            kind=kind,
            start_time=int(start_us) * 1000,
            end_time=int(end_us) * 1000,
            instrumentation_scope=self._scope,
        )
