"""Records that were computed again, held against a sink: what is equal, and why what is not."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace

import pytest

from pipeline.audit.replayed import breaks_of, compared
from pipeline.records.commit import Commit
from pipeline.records.message import Publisher
from pipeline.sinks.uri import open_reader, open_sink
from pipeline.stream.chunk import Fault, Gap, Shot, Trouble
from pipeline.stream.progress import Progress

SESSION = "1700000000000000"
JOB = "feedfacecafe"


@pytest.fixture
def records(build):
    """Of so many frames, two topics each."""

    def make(numbers, **more):
        return [
            build.message(number, topic=topic, session=SESSION, **more)
            for number in numbers
            for topic in ("mood", "depth.summary")
        ]

    return make


@pytest.fixture
def sinks(tmp_path):
    """Writes messages to a sink and opens a reader of it."""
    with contextlib.ExitStack() as stack:

        def make(name, messages, position=""):
            uri = f"sqlite:{tmp_path}/{name}.db"
            with contextlib.closing(open_sink(uri)) as sink:
                progress = replace(sink.claim({"cam1": JOB})["cam1"], sequence=1)
                stands = replace(progress, session=SESSION, position=position)
                sink.commit([Commit(tuple(messages), stands)])
            return stack.enter_context(contextlib.closing(open_reader(uri)))

        yield make


def told(build, entry, position):
    """The event of an entry at a position."""
    progress = Progress(JOB, "cam1", session=SESSION, position=position)
    return Publisher("cam1", JOB, build.model, live=True).announce(entry, progress, {})


def verdict(sinks, mine, hers, position="24000", whole_tape=True):
    """Of records on two sides; up to `position` the sink has committed."""
    computed, there = sinks("mine", mine), sinks("hers", hers, position)
    found = compared(computed, there, "cam1", (), whole_tape=whole_tape)
    kinds = {(one.kind, one.topic, one.reason): one.records for one in found.differences.values()}
    return found, kinds


def test_the_same_records_are_equal_whatever_tells_of_the_run(sinks, records):
    found, kinds = verdict(sinks, records(range(5)), records(range(5), epoch=3, ingest_time_us=7))
    assert found.good
    assert found.equal == {"mood": 5, "depth.summary": 5}
    assert kinds == {}


def test_another_payload_or_attribute_is_different(sinks, records):
    first, second, *rest = records(range(3))
    second = replace(second, headers={**second.headers, "ce_clock": "capture"})
    hers = [replace(first, value=b"{}"), second, *rest]
    found, kinds = verdict(sinks, records(range(3)), hers)
    assert not found.good
    assert kinds == {("different", "mood", ""): 1, ("different", "depth.summary", ""): 1}


def test_what_is_missing_in_the_midst_has_no_reason(sinks, records):
    whole = records(range(9))
    found, kinds = verdict(sinks, whole, [one for one in whole if one.position != "9000"])
    assert not found.good
    assert kinds == {
        ("missing there", "mood", "unknown"): 1,
        ("missing there", "depth.summary", "unknown"): 1,
    }
    json.dumps(found.plain())


def test_what_lies_behind_the_end_of_either_has_a_reason(sinks, records):
    found, kinds = verdict(sinks, records(range(3, 9)), records(range(7)), position="18000")
    assert found.good
    assert {(kind, reason): number for (kind, _, reason), number in kinds.items()} == {
        ("missing there", "end"): 2,
        ("missing here", "tape"): 3,
    }


def test_what_is_no_tape_or_was_not_played_to_its_end_excuses_nothing(sinks, records):
    found, kinds = verdict(sinks, records(range(3)), records(range(7)), whole_tape=False)
    assert not found.good
    assert kinds == {
        ("missing here", "mood", "unknown"): 4,
        ("missing here", "depth.summary", "unknown"): 4,
    }


def test_what_was_committed_and_is_missing_at_the_end_has_none(sinks, records):
    found, kinds = verdict(sinks, records(range(9)), records(range(7)), position="24000")
    assert not found.good
    assert {reason for _, _, reason in kinds} == {"unknown"}


@pytest.mark.parametrize(("position", "reason"), [("12000", "end"), ("15000", "unknown")])
def test_a_window_that_the_tapes_end_has_closed_was_open_in_a_killed_run(
    sinks, records, position, reason
):
    """At the frame that it had committed last; in the midst it would have been said."""
    *whole, window, _ = records(range(5))
    window = replace(window, value=b'{"frames": 3, "partial": true}')
    found, kinds = verdict(sinks, [*whole, window], whole, position)
    assert kinds == {("missing there", "mood", reason): 1}
    assert found.good == (reason == "end")


@pytest.mark.parametrize(("there", "reason"), [((0, 1), "end"), ((0, 1, 3), "unknown")])
def test_the_last_shots_of_a_killed_run_were_not_told(sinks, build, there, reason):
    """Those behind the last that it told; one in the midst is missing."""
    publisher = Publisher("cam1", JOB, build.model)
    ends = [build.info(number, session=SESSION) for number in range(4)]
    shots = [publisher.shot(Shot(one.place, one, 1, "cut"), "0123456789ab") for one in ends]
    hers = [shots[number] for number in there]
    found, kinds = verdict(sinks, shots, hers, ends[3].position)
    assert kinds == {("missing there", "shots", reason): len(shots) - len(hers)}
    assert found.good == (reason == "end")


@pytest.mark.parametrize(
    ("first", "last", "whole_tape", "reason"),
    [
        (2, 3, True, "stopped"),
        (2, 3, False, "unknown"),
        (2, 2, True, "unknown"),
        (1, 3, True, "unknown"),
    ],
)
def test_the_shot_that_a_camera_was_stopped_in_is_longer_on_its_tape(
    sinks, build, first, last, whole_tape, reason
):
    """Which begins where it did, and holds what its decoder had not given out."""
    publisher = Publisher("cam1", JOB, build.model)
    infos = [build.info(number, session=SESSION) for number in range(5)]

    def shot(first, last):
        own = Shot(infos[first].place, infos[last], last - first + 1, "cut")
        return publisher.shot(own, "0123456789ab")

    mine = [shot(0, 1), shot(first, last + 1)]
    hers = [shot(0, 1), shot(2, 3)]
    if last == 2:  # another one there is the last
        mine, hers = [*mine, shot(4, 4)], [shot(0, 1), shot(2, 2), shot(4, 4)]
    found, kinds = verdict(sinks, mine, hers, infos[3].position, whole_tape=whole_tape)
    assert kinds["missing here", "shots", reason] == 1
    assert found.good == (reason == "stopped")


def test_dead_letters_and_given_up_operators_are_reasons(sinks, records, build):
    whole = records(range(6))
    hers = [one for one in whole if one.id not in (whole[4].id, whole[7].id)]
    letter = Publisher("cam1", JOB, build.model).dead_letter(
        build.info(2, session=SESSION), "mood", ValueError("x")
    )
    overload = told(build, Trouble("cam1", "overload", "too slow"), "6000")
    _, kinds = verdict(sinks, whole, [*hers, letter, *overload])
    assert kinds == {
        ("missing there", "mood", "deadletter"): 1,
        ("missing there", "depth.summary", "overload"): 1,
    }


def test_another_variant_is_another_configuration(sinks, records):
    other = [
        replace(one, headers={**one.headers, "ce_id": one.id[:-1] + "x", "ce_variant": "other"})
        for one in records(range(2))
    ]
    found, kinds = verdict(sinks, records(range(2)), other)
    assert not found.good  # nothing was compared
    assert {reason for _, _, reason in kinds} == {"configuration"}


def test_a_run_tells_what_it_left_out(sinks, build):
    events = [
        *told(build, Gap("cam1", "dropped", 4, cause="full"), "3000"),
        *told(build, Gap("cam1", "dropped", 9, cause="overload"), "6000"),
        *told(build, Gap("cam1", "dropped", 9, cause="spill"), "6000"),
        *told(build, Gap("cam1", "clock"), "6000"),
        *told(build, Trouble("cam1", "crashed", "SIGKILL", 3), "9000"),
        *told(build, Fault("cam1", "decode", "a picture is missing", 2), "9000"),
    ]
    assert breaks_of(sinks("hers", events), "cam1") == (
        (SESSION, "3000", 4),
        (SESSION, "9000", 3),
    )


def test_of_the_first_frames_a_run_tells_when_they_were_left_out(sinks, build):
    clock = {"live": True, "clock_us": lambda: 1_700_000_000_000_009}
    first = Publisher("cam1", JOB, build.model, **clock)
    events = first.announce(Gap("cam1", "dropped", 4, cause="full"), Progress(JOB, "cam1"), {})
    assert breaks_of(sinks("hers", events), "cam1") == (("1700000000000009", "", 4),)


def test_what_was_lost_on_its_way_to_the_sink_was_computed(sinks, records, build):
    whole = records(range(9))
    spilt = told(build, Gap("cam1", "dropped", 2, cause="spill"), "6000")
    found, kinds = verdict(sinks, whole, [*whole[:6], *whole[10:], *spilt])
    assert found.good
    assert {reason for _, _, reason in kinds} == {"spill"}


def test_what_was_lost_there_excuses_nothing_that_is_missing_here(sinks, records, build):
    whole = records(range(9))
    spilt = told(build, Gap("cam1", "dropped", 2, cause="spill"), "6000")
    _, kinds = verdict(sinks, whole[:6] + whole[10:], [*whole, *spilt])
    assert {reason for _, _, reason in kinds} == {"unknown"}


def test_only_what_lies_before_all_that_is_left_has_expired(sinks, records):
    """Footage is older than any publication, so its age alone tells nothing."""
    whole = records(range(9))
    there = sinks("hers", [*whole[6:10], *whole[12:]], "24000")
    there.oldest_us = lambda topic, stream: 2_000_000_000_000_000
    found = compared(sinks("mine", whole), there, "cam1", (), whole_tape=True)
    reasons = {(one.topic, one.reason): one.records for one in found.differences.values()}
    assert reasons == {
        ("mood", "expired"): 3,
        ("depth.summary", "expired"): 3,
        ("mood", "unknown"): 1,
        ("depth.summary", "unknown"): 1,
    }
