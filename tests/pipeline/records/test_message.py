"""Messages: CloudEvents attributes, identities, and what may never differ between runs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from fractions import Fraction

import pytest

from operators.format import JSON, PNG, Format
from operators.result import Result
from pipeline.records.message import Publisher, labels_message, progress_message, rfc3339
from pipeline.stream.chunk import End, Fault, Gap
from pipeline.stream.progress import Progress

JOB = "feedfacecafe"


@pytest.fixture
def publisher(build):
    return Publisher("cam1", JOB, build.model, clock_us=lambda: 1_763_830_800_000_001)


def test_a_record_carries_every_attribute_as_text(publisher, build):
    info = build.info(3, event_time_us=1_763_830_800_123_456, epoch=2, clock="start-time")
    result = Result(info, "depth", PNG, b"\x89PNG", {"depthkind": "metric"})

    message = publisher.record(result, build.variant, build.operator())

    assert (message.topic, message.key, message.value) == ("depth", "cam1", b"\x89PNG")
    assert message.headers == {
        "content-type": "image/png",
        "ce_specversion": "1.0",
        "ce_id": "depth/cam1/a1b2c3d4e5f6/9000/0123456789ab",
        "ce_source": "/streams/cam1",
        "ce_type": "dinostream.depth.v1",
        "ce_dataschema": "urn:dinostream:schemas:depth.v1",
        "ce_time": "2025-11-22T17:00:00.123456Z",
        "ce_streamid": "cam1",
        "ce_session": "a1b2c3d4e5f6",
        "ce_pts": "9000",
        "ce_timebase": "1/90000",
        "ce_clock": "start-time",
        "ce_ingesttime": "2023-11-14T22:13:20.000000Z",
        "ce_sourcewidth": "640",
        "ce_sourceheight": "360",
        "ce_variant": "0123456789ab",
        "ce_model": "dinov2_vits14-b938bf1bc15c",
        "ce_epoch": "2",
        "ce_depthkind": "metric",
    }


def test_untrained_heads_say_so(publisher, build):
    operator = build.operator()
    operator.untrained = True
    message = publisher.record(Result(build.info(), "action", JSON, b"{}"), "v", operator)
    assert message.headers["ce_untrained"] == "true"


def test_what_knows_rendered_scenes_alone_says_so_of_footage(publisher, build):
    operator = build.operator()
    for rendered in (False, True):
        for rendered_only in (False, True):
            operator.rendered_only = rendered_only
            result = Result(build.info(rendered=rendered), "action", JSON, b"{}")
            said = publisher.record(result, "v", operator).headers.get("ce_outofdomain")
            assert said == ("true" if rendered_only and not rendered else None)


def test_a_frame_without_pts_says_nothing_of_it(build):
    message = build.message(0, pts=None, position="77+2", time_base=Fraction(1001, 30000))
    assert "ce_pts" not in message.headers
    assert message.headers["ce_timebase"] == "1001/30000"
    assert message.id.split("/")[3] == "77+2"


def test_a_users_own_topic_is_what_its_operator_declares(publisher, build):
    operator = build.operator()
    result = Result(build.info(), "mood", JSON, b"{}")

    operator.topics = {"mood": Format()}
    plain = publisher.record(result, "v", operator)
    operator.topics = {"mood": Format(schema="https://example.org/mood.v1.json")}
    described = publisher.record(result, "v", operator)

    assert "ce_dataschema" not in plain.headers
    assert plain.headers["ce_type"] == "dinostream.mood.v1"
    assert described.headers["ce_dataschema"] == "https://example.org/mood.v1.json"

    operator.topics = {"mood": Format("text/csv")}
    with pytest.raises(ValueError, match="gives topic mood application/json; its topics declare t"):
        publisher.record(result, "v", operator)


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"depthKind": "x"}, "'depthKind'"),
        ({"": "x"}, "''"),
        ({"depth_kind": "x"}, "'depth_kind'"),
        ({"a" * 21: "x"}, "1-20"),
        ({"id": "x"}, "'id'"),
        ({"streamid": "x"}, "'streamid'"),
        ({"untrained": "true"}, "'untrained'"),
        ({"outofdomain": "true"}, "'outofdomain'"),
        ({"score": 1.5}, "must be a string"),
        ({"score": ""}, "not empty"),
    ],
)
def test_attributes_that_cloudevents_forbids_are_refused(publisher, build, attributes, said):
    result = Result(build.info(), "action", JSON, b"{}", attributes)
    with pytest.raises(ValueError, match=said):
        publisher.record(result, "v", build.operator())


@pytest.mark.parametrize(
    ("time_us", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"),
    ],
)
def test_times_are_rfc3339_utc_with_microseconds(time_us, text):
    assert rfc3339(time_us) == text
    assert datetime.fromisoformat(text).utcoffset() is not None


def test_started_tells_of_the_source(publisher, build):
    message = publisher.started(build.info(4))
    assert message.topic == "events"
    assert message.headers["ce_time"] == rfc3339(4 * 33_333)
    assert message.headers["ce_variant"] == JOB
    assert json.loads(message.value) == {
        "kind": "started",
        "stream": "cam1",
        "session": "a1b2c3d4e5f6",
        "position": "12000",
        "clock": "media",
        "source_width": 640,
        "source_height": 360,
    }


PROGRESS = Progress(JOB, "cam1", "a1b2c3d4e5f6", sequence=3, epoch=2, position="9000")
COUNTS = {"depth": {"sampled": 5, "published": 5}}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (Gap("cam1", "reconnected"), {"kind": "reconnected"}),
        (Gap("cam1", "dropped", 7), {"kind": "dropped", "dropped": 7}),
        (Fault("cam1", "decode", "bad", 1), {"kind": "decode", "detail": "bad", "lost": 1}),
        (
            End("cam1", "degraded", "2 lost", decoded=9, lost=2, memory_bytes=77),
            {
                "kind": "ended",
                "detail": "2 lost",
                "outcome": "degraded",
                "lost": 2,
                "operators": COUNTS,
            },
        ),
    ],
)
def test_incidents_say_what_happened_and_where(publisher, entry, said):
    (message,) = publisher.announce(entry, PROGRESS, COUNTS)
    where = {"stream": "cam1", "session": "a1b2c3d4e5f6", "position": "9000"}
    assert json.loads(message.value) == where | said
    assert message.id.startswith(f"events/cam1/a1b2c3d4e5f6/9000.{said['kind']}.")
    assert message.id.endswith(f"/{JOB}")
    assert (message.topic, message.key) == ("events", "cam1")
    assert message.headers["ce_epoch"] == "2"
    assert message.headers["ce_ingesttime"] == "2025-11-22T17:00:00.000001Z"


def test_equal_ids_of_incidents_mean_equal_payloads(build):
    """Another run, at another time, with another epoch and another peak of memory."""
    early = Publisher("cam1", JOB, build.model, clock_us=lambda: 1)
    late = Publisher("cam1", JOB, build.model, clock_us=lambda: 2)
    entries = [
        End("cam1", "ok", memory_bytes=1),
        Fault("cam1", "decode", "bad"),
        Fault("cam1", "decode", "worse"),
    ]
    again = [replace(entries[0], memory_bytes=2), *entries[1:]]
    resumed = replace(PROGRESS, epoch=5, sequence=9)
    first = [m for e in entries for m in early.announce(e, PROGRESS, COUNTS)]
    second = [m for e in again for m in late.announce(e, resumed, COUNTS)]
    assert [(m.id, m.value) for m in first] == [(m.id, m.value) for m in second]
    assert len({m.id for m in first}) == 3
    frame = build.info(1)
    moved = replace(frame, ingest_time_us=9, epoch=5)
    assert early.started(frame).id == late.started(moved).id
    assert early.started(frame).value == late.started(moved).value


@pytest.mark.parametrize("place", [{"session": "", "position": ""}, {}])
def test_what_two_runs_see_of_a_camera_is_told_twice_and_what_one_sees_once(build, place):
    """A camera that was not there yesterday and is not there today, for the same reason."""
    publisher = Publisher("cam1", JOB, build.model, live=True)
    faults = [Fault("cam1", "disconnected", "refused"), End("cam1", "stopped")]
    seen = [replace(PROGRESS, epoch=epoch, **place) for epoch in (2, 2, 3)]
    told = [[m.id for f in faults for m in publisher.announce(f, at, {})] for at in seen]
    assert told[0] == told[1]
    assert not set(told[0]) & set(told[2])


def test_a_stream_that_never_began_still_has_whole_ids(publisher):
    (message,) = publisher.announce(End("cam1", "rejected", "no video"), Progress(JOB, "cam1"), {})
    assert message.id.startswith("events/cam1/-/-.ended.")
    assert "ce_session" not in message.headers


def test_a_dead_letter_names_frame_operator_and_error(publisher, build):
    # Words, not one letter: other tests of this process have had secrets remembered, to be masked.
    message = publisher.dead_letter(build.info(2), "depth", ValueError("no such block, " * 999))
    said = json.loads(message.value)
    assert (said["operator"], said["error"], said["position"]) == ("depth", "ValueError", "6000")
    assert len(said["detail"]) == 500
    assert said["traceback"] == ""
    assert message.id.startswith("deadletter/cam1/a1b2c3d4e5f6/6000.depth.")
    assert message.headers["ce_pts"] == "6000"


def test_label_sets_are_keyed_by_their_name():
    labels = [{"id": 0, "name": "wall", "rgb": [120, 120, 120]}]
    message = labels_message("ade20k", labels)
    assert (message.topic, message.key) == ("labels", "ade20k")
    assert json.loads(message.value) == labels
    assert message.id == labels_message("ade20k", labels).id
    assert message.id != labels_message("ade20k", [*labels, *labels]).id
    assert message.headers["ce_source"] == "/labelsets/ade20k"


def test_progress_travels_under_its_job_and_stream():
    message = progress_message(PROGRESS)
    assert (message.topic, message.key) == ("progress", f"{JOB}/cam1")
    assert Progress.from_json(json.loads(message.value)) == PROGRESS
    assert message.id == f"progress/{JOB}/cam1/2.3"
