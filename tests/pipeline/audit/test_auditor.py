"""The judge alone: what was committed, and what a hand has done to it since."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.audit import chain
from pipeline.engine.outbox import Outbox
from pipeline.records.message import Publisher
from pipeline.stream.chunk import MANIFEST_FRAMES, End, Trouble
from pipeline.stream.progress import Progress
from pipeline.testing import ListSink

FRAMES = 2 * MANIFEST_FRAMES + 40
FAR = 500  # a frame of the second manifest


@pytest.fixture
def written(footage):
    sink = ListSink()
    footage.write(sink)
    return sink.messages


def at(messages, number, topic="mood"):
    """Where a frame's record of a topic is."""
    ends = f"/{number * 3000}/0123456789ab"
    return next(i for i, m in enumerate(messages) if m.topic == topic and m.id.endswith(ends))


def test_all_that_was_written_is_complete(audits, written):
    report = audits.of_messages(written)
    assert (report.complete, report.ended, report.manifests) == (True, True, 3)
    assert report.records == 2 * FRAMES + 1, "and the end"
    assert report.operators == {"echo": {"sampled": FRAMES, "published": FRAMES}}
    assert report.findings == []


@pytest.mark.parametrize("chunk", [1, 7, 16, 300])
def test_manifests_do_not_depend_on_how_the_frames_came(footage, written, chunk):
    sink = ListSink()
    footage.write(sink, chunk=chunk)

    def manifests(messages):
        return [(one.id, one.value) for one in messages if one.topic == "manifest"]

    assert manifests(sink.messages) == manifests(written)


@pytest.mark.parametrize("upto", [1, 250, 256, 257, 500, FRAMES - 5])
def test_a_killed_run_is_complete_and_goes_on_to_the_same_manifests(audits, footage, written, upto):
    sink = ListSink()
    footage.write(sink, upto=upto, chunk=5)
    killed = audits.of_messages(sink.messages)
    assert not killed.ended
    assert {one.kind for one in killed.findings} <= {"untold", "unknown"}
    footage.write(sink, chunk=11)
    assert {(one.topic, one.id, one.value) for one in sink.messages} == {
        (one.topic, one.id, one.value) for one in written
    }
    assert audits.of_messages(sink.messages).complete


@pytest.mark.parametrize("gone", [[0], [FAR], [FRAMES - 1], [255, 256], range(300, 340)])
def test_what_is_missing_is_counted_where_it_was(audits, written, gone):
    places = {at(written, number) for number in gone}
    report = audits.of_messages(one for i, one in enumerate(written) if i not in places)
    assert not report.complete
    missing = [one for one in report.findings if one.kind == "missing"]
    assert sum(one.records for one in missing) == len(gone)
    assert {one.series.topic for one in missing} == {"mood"}
    assert {one.sibling.topic for one in missing} == {"action"}
    assert len(missing) == len({number // MANIFEST_FRAMES for number in gone})
    inside = [(one.first.position, one.last.position) for one in missing]
    assert all(any(a <= n * 3000 <= b for a, b in inside) for n in gone)


def test_where_there_are_many_manifests_some_are_judged_together(audits, written, monkeypatch):
    monkeypatch.setattr(chain, "MOST_CLAIMS", 2)
    assert audits.of_messages(written).complete
    gone = written.pop(at(written, FAR))
    (missing,) = audits.of_messages(written).findings
    assert (missing.kind, missing.records) == ("missing", 1)
    assert missing.first.position == MANIFEST_FRAMES * 3000
    assert missing.last.position == (FRAMES - 1) * 3000
    assert gone.topic == missing.series.topic


def test_another_payload_or_attribute_is_told(audits, written):
    place = at(written, FAR)
    for change in ({"value": b"{}"}, {"headers": {**written[place].headers, "ce_pts": "7"}}):
        altered = [*written]
        altered[place] = replace(written[place], **change)
        assert audits.kinds(audits.of_messages(altered)) == {("altered", "mood"): MANIFEST_FRAMES}


@pytest.mark.parametrize("name", ["ce_epoch", "ce_ingesttime", "ce_traceparent"])
def test_what_differs_from_run_to_run_is_not_looked_at(audits, written, name):
    place = at(written, FAR)
    headers = {**written[place].headers, name: "1"}
    written[place] = replace(written[place], headers=headers)
    assert audits.of_messages(written).complete


@pytest.mark.parametrize("ids", [100_000, 10], ids=["remembered", "forgotten"])
def test_a_record_that_is_there_twice_is_told_however_far_away(audits, written, ids):
    twice = [*written, written[at(written, 3)]]
    report = audits.of_messages(twice, ids=ids)
    assert not report.complete
    if ids > 10:
        assert audits.kinds(report) == {("doubled", "mood"): 1}
        assert report.findings[0].ids == (twice[-1].id,)
    else:
        assert audits.kinds(report) == {("disordered", "mood"): 1, ("unexpected", "mood"): 1}


def test_an_id_with_two_payloads_is_told(audits, written):
    other = replace(written[at(written, 3)], value=b"{}")
    report = audits.of_messages([*written, other])
    assert audits.kinds(report) == {("conflicting", "mood"): 1}
    assert report.findings[0].ids == (other.id,)


@pytest.mark.parametrize("numbers", [(10, 11), (255, 256), (3, 300)])
def test_records_that_changed_places_are_told_and_nothing_else_is(audits, written, numbers):
    one, other = (at(written, number) for number in numbers)
    written[one], written[other] = written[other], written[one]
    report = audits.of_messages(written)
    assert {kind for kind, _ in audits.kinds(report)} == {"disordered"}
    assert written[other].id in report.findings[0].ids
    assert report.findings[0].records <= 2


@pytest.mark.parametrize("position", ["1500000+1", "99999999"], ids=["among others", "behind all"])
def test_a_record_that_nobody_committed_is_told(audits, written, build, position):
    """It lies where its time says, so that its order is no fault."""
    stranger = build.message(FAR, topic="mood", position=position, epoch=1)
    place = at(written, FAR) + 1
    report = audits.of_messages([*written[:place], stranger, *written[place:]])
    assert audits.kinds(report) == {("unexpected", "mood"): 1}


def test_a_manifest_that_is_missing_or_altered_is_told(audits, written):
    place = next(i for i, one in enumerate(written) if one.topic == "manifest")
    lost = audits.of_messages([*written[:place], *written[place + 1 :]])
    assert ("missing", "manifest") in audits.kinds(lost)
    value = written[place].value.replace(b'"records":256', b'"records":255')
    written[place] = replace(written[place], value=value)
    assert ("altered", "manifest") in audits.kinds(audits.of_messages(written))


def test_a_job_that_is_done_afresh_is_complete_however_far_its_repeats_are(audits, footage, build):
    """As on Kafka, where both runs' records lie."""
    first, second = ListSink(), ListSink()
    footage.write(first, upto=300)
    footage.write(second)
    newer = [replace(one, headers={**one.headers, "ce_epoch": "2"}) for one in second.messages]
    for ids in (100_000, 10):
        report = audits.of_messages([*first.messages, *newer], ids=ids)
        assert report.complete, report.findings
        assert report.manifests == 3


def test_a_run_that_is_done_afresh_may_have_other_manifests_from_some_number_on(audits, footage):
    first, second = ListSink(), ListSink()
    footage.write(first, mute=FAR)  # an operator failed on it, and does not again
    footage.write(second)
    newer = [replace(one, headers={**one.headers, "ce_epoch": "2"}) for one in second.messages]
    report = audits.of_messages([*first.messages, *newer])
    assert report.complete, report.findings


def test_dead_letters_of_several_operators_have_no_order(audits, build, written):
    letters = [
        Publisher("cam1", "feedfacecafe", build.model).dead_letter(
            build.info(number), operator, ValueError("no")
        )
        for operator in ("classify", "depth")
        for number in (1, 2)
    ]
    told = audits.kinds(audits.of_messages([*written, *letters]))
    assert ("disordered", "deadletter") not in told


def written_by(build, job, epoch, numbers):
    """All that a job of its own sampling sends of one clip."""
    progress = Progress(job, "cam1", epoch=epoch)
    outbox = Outbox(progress, [], Publisher("cam1", job, build.model, clock_us=lambda: 0))
    records = [build.message(number, topic="mood", epoch=epoch) for number in numbers]
    done = replace(progress, session="a1b2c3d4e5f6", position="1", status="ok")
    return outbox.send(records, done, End("cam1", "ok")).messages


def test_two_jobs_with_the_same_records_are_both_complete(audits, build):
    first = written_by(build, "0" * 12, 1, range(50))
    second = written_by(build, "1" * 12, 2, range(50))
    own = [one for one in second if one.topic != "mood"]
    report = audits.of_messages([*first, *own])
    assert (report.findings, report.manifests) == ([], 2)


def test_two_jobs_of_other_samplings_are_told_apart_where_both_have_sent_all(audits, build):
    """On Kafka, by their epochs. A database has what they share once, and whose nobody knows."""
    first = written_by(build, "0" * 12, 1, range(0, 50, 2))
    second = written_by(build, "1" * 12, 2, range(0, 50, 3))
    assert audits.of_messages([*first, *second]).complete
    ids = {one.id for one in first}
    once = audits.of_messages([*first, *(one for one in second if one.id not in ids)])
    assert {kind for kind, _ in audits.kinds(once)} == {"unknown"}
    assert not once.complete


def test_a_ledger_that_does_not_add_up_is_told(audits, footage):
    sink = ListSink()
    progress = footage.write(sink, upto=FRAMES - 20)
    ledger = {"echo": {"sampled": FRAMES, "published": FRAMES - 2, "silent": 1}}
    outbox = Outbox(progress, [], Publisher("cam1", progress.job, "m-0", clock_us=lambda: 0))
    commit = outbox.send([], replace(progress, status="ok", ledger=ledger), End("cam1", "ok"))
    report = audits.of_messages([*sink.messages, *commit.messages])
    assert audits.kinds(report) == {("unaccounted", ""): 1}


def test_a_stream_without_manifests_is_unknown(audits, build):
    report = audits.of_messages([build.message(number) for number in range(3)])
    assert audits.kinds(report) == {("unknown", "action"): 3}


@pytest.mark.parametrize("kafka", [False, True], ids=["each id once", "all that was sent"])
def test_events_that_are_alike_at_one_position_are_one_record(audits, build, kafka):
    """A camera whose decoder crashes again and again before its first frame."""
    sink = ListSink()
    progress = sink.claim({"cam1": "feedfacecafe"})["cam1"]
    sent = []
    for _ in range(3):  # every time in another commit, the last one after a resume
        outbox = Outbox(progress, [], Publisher("cam1", progress.job, build.model))
        for detail in ("refused", "401", "refused"):
            outbox.report(Trouble("cam1", "disconnected", detail))
            commit = outbox.next_news(progress)
            sink.commit([commit])
            sent += commit.messages
            outbox.confirm()
            progress = commit.progress
    ended = outbox.send([], replace(progress, status="stopped"), End("cam1", "stopped"))
    report = audits.of_messages([*(sent if kafka else sink.messages), *ended.messages])
    assert report.complete
    assert audits.kinds(report) == ({("again", "events"): 7} if kafka else {})


def test_an_event_that_is_alike_elsewhere_is_another_record(footage, build):
    progress = footage.write(ListSink(), upto=32)
    assert progress.untold["recent"] == []
    outbox = Outbox(progress, [], Publisher("cam1", progress.job, build.model))
    outbox.report(Trouble("cam1", "crashed", "SIGSEGV", 3, "a1b2c3d4e5f6", "96000"))
    (place,) = outbox.next_news(progress).progress.untold["recent"]
    assert place.startswith("a1b2c3d4e5f6/96000.crashed.")
