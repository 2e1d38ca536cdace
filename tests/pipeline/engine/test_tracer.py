"""Spans of frames on a real OTLP receiver; what it does not take is counted and told."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from operators.errors import UsageError
from operators.frames import FrameInfo
from pipeline.configuration.resolve import resolve
from pipeline.engine.assembly import assemble
from pipeline.engine.latency import STAGES, Spent
from pipeline.engine.tracer import TracedFrame, Tracer
from pipeline.stream.trace_context import TraceContext
from tests.otlp_receiver import Receiver, receiving

EXPORTER = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
CONNECTION = "1795371519100128"
DECODED_US = 1_795_371_520_000_000
SPENT = Spent(decode_s=0.25, batch_s=0.5, compute_s=0.125, commit_s=1.0)


def frames(build, count: int) -> list[FrameInfo]:
    return [
        build.info(number, session=CONNECTION, ingest_time_us=DECODED_US) for number in range(count)
    ]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield server


@pytest.mark.slow
def test_a_frame_is_one_trace_of_its_stages(receiver: Receiver, build) -> None:
    from pipeline.engine.otlp import OtlpSender

    tracer, infos = Tracer(1.0, OtlpSender()), frames(build, 3)
    tracer.see(infos, [SPENT] * 3)
    tracer.close()
    assert receiver.paths == {"/v1/traces"}
    assert tracer.dropped == 0
    spans = receiver.spans()
    assert len(spans) == 3 * (1 + len(STAGES))
    context = TraceContext.of(infos[1], 1.0)
    assert context
    own = [span for span in spans if span.trace_id == context.trace_id.to_bytes(16)]
    (whole,) = [span for span in own if not span.parent_span_id]
    assert whole.span_id == context.span_id.to_bytes(8)
    assert whole.name == "frame"
    assert {one.key: one.value.string_value for one in whole.attributes} == {
        "dinostream.stream": "cam1",
        "dinostream.session": CONNECTION,
        "dinostream.position": infos[1].position,
    }
    parts = {span.name: span for span in own if span.parent_span_id == whole.span_id}
    assert [*parts] == [*STAGES]
    ns = [(span.start_time_unix_nano, span.end_time_unix_nano) for span in parts.values()]
    captured = (DECODED_US - 250_000) * 1000
    ends = [captured + round(s * 1e9) for s in (0.25, 0.75, 0.875, 1.875)]
    assert ns == [*zip([captured, *ends], ends, strict=False)]
    assert (whole.start_time_unix_nano, whole.end_time_unix_nano) == (captured, ends[-1])
    assert len({span.span_id for span in spans}) == len(spans)


@pytest.mark.slow
def test_a_receiver_that_refuses_costs_traces_and_nothing_else(
    receiver: Receiver, build, caplog: pytest.LogCaptureFixture
) -> None:
    from pipeline.engine.otlp import OtlpSender

    receiver.status = 400
    tracer = Tracer(1.0, OtlpSender())
    tracer.see(frames(build, 5), [SPENT] * 5)
    tracer.close()
    assert tracer.dropped == 5
    (line,) = caplog.messages
    assert line.startswith("5 more traces are lost: Failed to export spans batch code: 400")


class Held:
    """Takes a batch when it is let, none after it was closed."""

    why = ""

    def __init__(self) -> None:
        self.began, self.go = threading.Event(), threading.Event()
        self.sent: list[TracedFrame] = []
        self.closed = False

    def send(self, frames: list[TracedFrame]) -> bool:
        self.began.set()
        self.go.wait()
        self.sent += frames
        return True

    def close(self) -> None:
        self.closed = True
        self.go.set()


@pytest.mark.slow
def test_what_finds_no_room_is_counted(build, caplog: pytest.LogCaptureFixture) -> None:
    held = Held()
    tracer = Tracer(1.0, held, room=4)
    infos = frames(build, 10)
    tracer.see(infos[:2], [SPENT] * 2)
    held.began.wait()
    tracer.see(infos[2:], [SPENT] * 8)
    assert tracer.dropped == 4
    held.go.set()
    tracer.close()
    assert [frame.info for frame in held.sent] == infos[:6]
    assert held.closed
    assert "4 more traces are lost: more came than could be sent" in caplog.messages


@pytest.mark.slow
def test_frames_that_are_not_traced_are_not_sent_and_not_lost(build) -> None:
    held = Held()
    held.go.set()
    tracer = Tracer(1.0, held)
    tracer.see([build.info(1)], [SPENT])
    tracer.close()
    assert (held.sent, tracer.dropped) == ([], 0)


def test_without_opentelemetry_a_run_that_traces_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, EXPORTER, None)
    monkeypatch.delitem(sys.modules, "pipeline.engine.otlp", raising=False)
    config = resolve(None, {"sources": ["synthetic:room"], "weights": "nowhere", "trace": 0.5})
    with pytest.raises(UsageError, match=r"pip install '\.\[otel\]', or leave trace out"):
        assemble(config)
