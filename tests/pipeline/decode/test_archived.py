"""Archives played: what was kept comes back, from any frame on, with its breaks and its losses."""

import os
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from operators.archive.kind import Kind
from operators.archive.layout import Layout
from operators.frames import FrameInfo
from pipeline.archive.archive import Archive
from pipeline.archive.group import Group
from pipeline.archive.header import Header
from pipeline.decode.archived import Archived
from pipeline.decode.collector import entries
from pipeline.decode.track import Sample
from pipeline.sinks.spill.segment import scan
from pipeline.stream.chunk import End, Fault, Frames, Gap
from pipeline.stream.gate import Gate
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec

KIND = Kind(Layout((), True, 2, 4), "b" * 64, "dinov2_vitti14", "a" * 64, "torch")


def info(session, number):
    facts = ("old", session, str(number), number, Fraction(1, 25), number, 7, (36, 64))
    return FrameInfo(*facts, epoch=3)


def group(session, first, below, **more):
    numbers = range(first, below)
    pictures = [np.full((2, 3, 3), number, np.uint8) for number in numbers]
    infos = tuple(info(session, number) for number in numbers)
    return Group(first, infos, (1, 3) * ((below - first) // 2), np.stack(pictures), **more)


@pytest.fixture
def archive(tmp_path):
    """Two sessions; the first one breaks once, the second one is being kept still."""
    archive = Archive(tmp_path)
    rules = ("fps:5", "fps:2.5")
    for turn, (session, groups) in enumerate(
        {
            "late": [group("late", 0, 2)],
            "early": [
                group("early", 0, 4, breaks=((2, "size"),)),
                group("early", 4, 6, ended=True),
            ],
        }.items()
    ):
        own = archive.session("cam1", session)
        header = Header("cam1", session, "j", rules, 28, 10 - turn, KIND)
        own.append(own.segment(0, 1), header, groups)
    return archive


def spec_of(archive, *rules, **more):
    rules = tuple(map(Sampling.parse, rules or ("fps:5",)))
    url = str(archive.folder("cam1"))
    return StreamSpec("cam1", url, session="s", samplings=rules, kept=True, epoch=9, **more)


def played(spec):
    return [item for item in Archived(spec, lambda: 99).items() if item is not None]


def samples(items):
    return [item for item in items if isinstance(item, Sample)]


def names(items):
    return [(one.info.session, int(one.info.position)) for one in samples(items)]


ALL = [*(("early", number) for number in range(6)), ("late", 0), ("late", 1)]


def test_everything_comes_back_in_the_order_in_which_it_happened(archive):
    items = played(spec_of(archive))
    assert names(items) == ALL
    assert [item for item in items if isinstance(item, Gap)] == [Gap("cam1", "size")]
    first = samples(items)[0]
    assert (first.info.stream, first.info.epoch, first.info.ingest_time_us) == ("cam1", 9, 99)
    assert (first.info.event_time_us, first.info.source_hw) == (0, (36, 64))
    assert [int(one.pixels[0, 0, 0]) for one in samples(items)] == [0, 1, 2, 3, 4, 5, 0, 1]
    assert items[-1] == End("cam1", "ok", decoded=8, sampled=8, unfinished=True)
    (fault,) = (item for item in items if isinstance(item, Fault))
    assert "session late has no end" in fault.detail


def test_a_rule_takes_the_frames_that_it_took(archive):
    items = played(spec_of(archive, "fps:2.5", "all"))
    assert [one.taken for one in samples(items)] == [2, 3] * 4
    only = played(spec_of(archive, "fps:2.5"))
    assert names(only) == ALL[1::2]
    assert only[-1] == End("cam1", "ok", decoded=8, sampled=4, unfinished=True)


def test_it_goes_on_behind_any_frame(archive):
    whole = entries(played(spec_of(archive)))
    for at, one in enumerate(samples(played(spec_of(archive)))):
        rest = played(spec_of(archive, cursor=one.cursor))
        assert names(rest) == ALL[at + 1 :]
        assert rest[-1] == whole[-1]
        runs = [entry for entry in entries(rest) if isinstance(entry, Frames)]
        assert [run.before for run in runs[:1]] in ([], [at + 1])


def test_an_archive_that_is_another_one_by_now_is_refused(archive):
    cursor = samples(played(spec_of(archive)))[3].cursor
    (end,) = played(spec_of(archive, cursor=cursor | {"position": "7"}))
    assert (end.outcome, end.detail) == ("degraded", "has changed: frame 7 is not where it was")
    (end,) = played(spec_of(archive, cursor=cursor | {"session": "gone"}))
    assert end.detail == "session gone is not kept any more"


def test_what_is_damaged_is_told_and_breaks_the_stream(archive):
    path = archive.session("cam1", "early").segment(0, 1)
    data = bytearray(path.read_bytes())
    at = data.find(b'"before":0')
    data[at] ^= 255
    path.write_bytes(data)
    items = played(spec_of(archive))
    assert names(items) == ALL[4:]
    assert items[:2] == [
        Fault("cam1", "decode", "session early: 4 kept frames are damaged or gone", 4),
        Gap("cam1", "decode"),
    ]
    assert (items[-1].outcome, items[-1].lost, items[-1].detail) == (
        "degraded",
        4,
        "4 frames lost",
    )


def test_damage_at_the_end_is_told_and_counts_as_one_frame_at_least(archive):
    path = archive.session("cam1", "early").segment(0, 1)
    data = bytearray(path.read_bytes())
    *_, last = scan(path)
    data[last.offset] ^= 255
    path.write_bytes(data)
    items = played(spec_of(archive))
    assert names(items) == [*ALL[:4], *ALL[6:]]
    told = "session early: at least 1 kept frames are damaged or gone"
    assert Fault("cam1", "decode", told, 1) in items
    assert (items[-1].outcome, items[-1].lost) == ("degraded", 1)


def test_nothing_that_can_be_read_is_rejected(archive):
    for session in ("early", "late"):
        os.truncate(archive.session("cam1", session).segment(0, 1), 5)
    (end,) = played(spec_of(archive))
    assert (end.outcome, end.detail) == ("rejected", "no frame can be decoded")


def test_a_session_that_has_grown_is_gone_on_with(archive):
    before = played(spec_of(archive))
    own = archive.session("cam1", "late")
    own.append(own.segment(0, 1), own.header(), [group("late", 2, 4, ended=True)])
    after = played(spec_of(archive, cursor=samples(before)[-1].cursor))
    assert names(after) == [("late", 2), ("late", 3)]
    assert after[-1] == End("cam1", "ok", decoded=10, sampled=10)


@pytest.fixture
def still(archive):
    """A stream of which frames 2, 3 and 5 repeat the one before them."""
    whole = group("only", 0, 6, ended=True)
    repeats = ("", "", "1", "1", "", "4")
    kept = replace(whole, taken=(3, 3, 1, 3, 2, 2), pictures=whole.pictures[[0, 1, 4]])
    own = archive.session("still", "only")
    header = Header("still", "only", "j", ("fps:5", "fps:2.5"), 28, 0, KIND, {"threshold": 8})
    parts = [replace(kept, repeats=repeats).part(0, 3), replace(kept, repeats=repeats).part(3, 6)]
    own.append(own.segment(0, 1), header, parts)

    def spec(*rules, **more):
        own = spec_of(archive, *(rules or ("all",)), gate=Gate(), **more)
        return replace(own, stream="still", url=str(archive.folder("still")))

    return spec


def test_a_frame_that_repeats_one_says_so_and_has_no_picture(still):
    items = samples(played(still()))
    assert [one.repeats for one in items] == ["", "", "1", "1", "", "4"]
    runs = [one for one in entries(played(still())) if isinstance(one, Frames)]
    assert [(len(one.infos), len(one.pixels), one.repeats) for one in runs] == [
        *((2, 2, ""), (2, 0, "1")),
        *((1, 1, ""), (1, 0, "4")),
    ]
    assert {one.pixels.shape[1:] for one in runs} == {(2, 3, 3)}
    for at, one in enumerate(items):
        rest = samples(played(still(cursor=one.cursor)))
        assert [other.repeats for other in rest] == [other.repeats for other in items[at + 1 :]]


def test_a_rule_takes_the_repetitions_that_it_took(still):
    assert [int(one.info.position) for one in samples(played(still("fps:2.5")))] == [0, 1, 3, 4, 5]
    assert [int(one.info.position) for one in samples(played(still("fps:5")))] == [0, 1, 2, 3]


def test_what_repeats_a_frame_that_is_lost_is_lost(archive, still):
    path = archive.session("still", "only").segment(0, 1)
    data = bytearray(path.read_bytes())
    *_, first, _ = scan(path)
    data[first.offset + 40] ^= 255
    path.write_bytes(data)
    items = played(still())
    assert [(int(one.info.position), one.repeats) for one in samples(items)] == [(4, ""), (5, "4")]
    assert [item.lost for item in items if isinstance(item, Fault)] == [3, 1]
    assert len([item for item in items if isinstance(item, Gap)]) == 1
    assert (items[-1].outcome, items[-1].lost) == ("degraded", 4)
    resumed = played(still(cursor=samples(items)[0].cursor))
    assert [one.repeats for one in samples(resumed)] == ["4"]
