"""Records of frames that are traced name their trace; nothing else of them changes."""

from __future__ import annotations

from operators.result import Result
from pipeline.records.message import Publisher
from pipeline.records.traced import TracedPublisher
from pipeline.stream.trace_context import TraceContext

CONNECTION = "1795371519100128"
OF = ("cam1", "feedfacecafe", "dinov2_vits14-b938bf1bc15c")


def result(build, **info: object) -> Result:
    plain = build.message()
    topic, kind = plain.topic, plain.headers["content-type"]
    return Result(build.info(3, **info), topic, kind, plain.value)


def test_a_record_and_a_dead_letter_name_the_trace_of_their_frame(build, described) -> None:
    publisher, one = TracedPublisher(*OF, 1.0), result(build, session=CONNECTION)
    context = TraceContext.of(one.info, 1.0)
    assert context
    record = publisher.record(one, build.variant, build.operator())
    letter = publisher.dead_letter(one.info, "depth", ValueError("no"))
    described(letter)
    for message in (record, letter):
        assert message.headers["ce_traceparent"] == context.traceparent
    plain = Publisher(*OF).record(one, build.variant, build.operator())
    assert (record.id, record.value) == (plain.id, plain.value)
    assert {**record.headers} == {**plain.headers, "ce_traceparent": context.traceparent}


def test_others_do_not(build) -> None:
    recorded = result(build)
    message = TracedPublisher(*OF, 1.0).record(recorded, build.variant, build.operator())
    assert "ce_traceparent" not in message.headers
    live = result(build, session=CONNECTION)
    message = TracedPublisher(*OF, 1e-9).record(live, build.variant, build.operator())
    assert "ce_traceparent" not in message.headers
