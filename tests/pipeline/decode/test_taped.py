"""Tapes played session by session: what has gone, what grows, and what goes on where."""

import json
import struct
from base64 import b64encode
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from pipeline.configuration.tapes import tapes_in
from pipeline.decode import dating
from pipeline.decode.capture import Capture
from pipeline.decode.shots import Shots
from pipeline.decode.sought import SoughtTape
from pipeline.decode.taped import Taped
from pipeline.decode.track import Sample
from pipeline.errors import SourceError
from pipeline.media.container import open_video
from pipeline.media.decoder import Decoder
from pipeline.media.reel import VideoReel
from pipeline.media.sender_clock import SenderClock
from pipeline.media.tape import Taping, segments_of
from pipeline.stream.chunk import End, Fault, Shot
from pipeline.stream.sampling import Sampling
from pipeline.stream.shots import ShotRule
from pipeline.stream.spec import StreamSpec

FIRST_US, SECOND_US = 1_700_000_000_000_000, 1_700_000_099_000_000
PACKET_US = 100_000


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Ten seconds in groups of ten pictures."""
    path = tmp_path_factory.mktemp("clip") / "clip.ts"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, width=64, height=64, pix_fmt="yuv420p")
        stream.codec_context.options = {"g": "10", "sc_threshold": "0", "threads": "1"}
        noise = np.random.default_rng(0)
        for _ in range(100):
            pixels = noise.integers(0, 255, (64, 64, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode(None))
    return str(path)


@pytest.fixture
def record(tmp_path, film):
    """Tapes a film as a connection of the stream `gate`; gives the tape's folder."""

    def tape(began_us=FIRST_US, *, keyframes=False, **more):
        opened = replace(open_video(film, max_pixels=1 << 24, timeout_s=5), finite=False)
        reel = VideoReel(opened, keyframes=keyframes, max_pixels=1 << 24)
        reel.sender = SenderClock("rtsp", None, reel.time_base)
        clock = iter(range(began_us, began_us + 10**9, PACKET_US))
        taping = Taping(str(tmp_path), 1 << 30, segment_s=1.5)
        spec = StreamSpec("gate", "rtsp://gate/", live=True, short_side=56, tape=taping, **more)
        capture = Capture(spec, lambda: next(clock), connect=lambda *_: reel)
        assert len([item for item in capture.items() if isinstance(item, Sample)]) > 5
        return tmp_path / "gate"

    return tape


def planned(folder, **more):
    ((name, plan),) = tapes_in(str(folder))
    told = {"session": plan.session, "late_begins": plan.late_begins} | more
    return StreamSpec(name, str(folder), taped=True, short_side=56, **told)


def played(spec):
    items = [item for item in Taped(spec, lambda: 0).items() if item is not None]
    *_, end = items
    assert isinstance(end, End)
    samples = [item for item in items if isinstance(item, Sample)]
    return samples, [item.detail for item in items if isinstance(item, Fault)], end


def ids(samples):
    return [(one.info.session, one.info.position) for one in samples]


def test_what_retention_takes_after_the_plan_is_not_played_under_its_variant(record):
    folder = record()
    whole = planned(folder)
    every, _, _ = played(whole)
    for segment in segments_of(folder)[:2]:
        segment.remove()
    late = planned(folder)
    assert late.late_begins == (f"{FIRST_US}-000004",)
    some, told, _ = played(late)
    assert ids(some) == ids(every)[-len(some) :]
    assert "2 segments at its beginning are gone" in told[0]
    segments_of(folder)[0].remove()
    for spec in (whole, late):
        samples, told, end = played(spec)
        assert samples == []
        assert told == [
            f"session {FIRST_US}: more of it has gone since this run was planned; run it again"
        ]
        assert end.outcome == "rejected"


def test_a_tape_that_has_grown_is_gone_on_with(record):
    """In the midst of a session, and with the next one."""
    folder = record()
    record(SECOND_US)
    whole, _, _ = played(planned(folder))
    later = [one for one in segments_of(folder) if one.session == str(SECOND_US)]
    journal = segments_of(folder)[4].journal
    taken = {path: path.read_bytes() for one in later for path in (one.film, one.journal)}
    written = journal.read_bytes()
    for path in taken:
        path.unlink()
    journal.write_bytes(written[:-300])
    first = planned(folder)
    some, told, end = played(first)
    assert (told, end.outcome, end.unfinished) == ([], "ok", True)
    journal.write_bytes(written)
    for path, content in taken.items():
        path.write_bytes(content)
    grown = planned(folder)
    assert grown == first
    rest, _, _ = played(grown.after(some[-1].cursor))
    assert ids(some) + ids(rest) == ids(whole)
    assert rest[-1].cursor == whole[-1].cursor


@pytest.mark.parametrize("breaks", [None, ()])
@pytest.mark.parametrize("left", [0, 50])
def test_a_card_that_fails_loses_nothing_for_a_later_run(record, monkeypatch, left, breaks):
    """In the midst of a session, of which the later run computes some again first; and again then,
    before it is where it was."""
    folder = record()
    record(SECOND_US)
    spec = planned(folder, breaks=breaks)
    whole, _, _ = played(spec)
    usual, fed = Decoder.decode, []

    def decode(self, *given):
        fed.append(given)
        if len(fed) > left:
            raise SourceError("the GPU decodes no more", retryable=True)
        yield from usual(self, *given)

    monkeypatch.setattr(Decoder, "decode", decode)
    some, told, end = played(spec)
    outcome = "degraded" if left else "rejected"
    assert (told, end.outcome, end.unfinished) == ([], outcome, True)
    assert end.detail == "the GPU decodes no more"
    assert ids(some) == ids(whole)[: len(some)]
    later = spec.after(some[-1].cursor) if some else spec
    fed, left = [], 5
    none, told, end = played(later)
    assert (none, told, end.unfinished) == ([], [], True)
    assert end.decoded == later.counts.decoded or not some
    monkeypatch.setattr(Decoder, "decode", usual)
    rest, _, _ = played(later)
    assert ids(some) + ids(rest) == ids(whole)
    assert rest[-1].cursor == whole[-1].cursor


def test_what_is_held_against_a_run_ends_where_that_did(record):
    _, _, end = played(planned(record(), breaks=()))
    assert not end.unfinished


def test_a_session_that_the_cursor_was_in_and_is_gone_is_told(record):
    folder = record()
    record(SECOND_US)
    spec = planned(folder)
    whole, _, _ = played(spec)
    for segment in segments_of(folder):
        if segment.session == str(FIRST_US):
            segment.remove()
    rest, told, end = played(spec.after(whole[3].cursor))
    assert ids(rest) == [one for one in ids(whole) if one[0] == str(SECOND_US)]
    assert told[0].startswith(f"session {FIRST_US} is not on the tape any more")
    assert end.outcome == "degraded"


def test_a_session_of_which_the_cursors_frame_is_gone_goes_on_with_what_is_left(record):
    folder = record()
    whole, _, _ = played(planned(folder))
    for segment in segments_of(folder)[:2]:
        segment.remove()
    rest, told, _ = played(planned(folder).after(whole[3].cursor))
    assert ids(rest) == ids(whole)[-len(rest) :]
    assert len(rest) > 5
    assert any("is not on the tape any more" in one for one in told)


def test_a_journal_that_goes_while_it_is_played_is_told(record):
    folder = record()
    items = Taped(planned(folder), lambda: 0).items()
    next(items)
    for segment in segments_of(folder)[1:]:
        segment.journal.unlink()
    *_, end = rest = [item for item in items if item is not None]
    (told,) = [item.detail for item in rest if isinstance(item, Fault)]
    assert told == f"session {FIRST_US}: {FIRST_US}-000002.jsonl: No such file or directory"
    assert end.outcome == "degraded"


def test_a_tape_of_key_frames_says_that_it_has_no_others(record):
    spec = planned(record(keyframes=True))
    samples, (told,), end = played(spec)
    assert told == (
        f"session {FIRST_US}: its run decoded key frames alone, so no rule can take others here"
    )
    assert end.outcome == "ok"
    alone, told, _ = played(replace(spec, samplings=(Sampling.parse("keyframes"),)))
    assert (len(alone), told) == (10, [])
    assert {*ids(samples)} <= {*ids(alone)}


def test_of_a_session_of_key_frames_no_shots_are_told(record):
    """What lies between them nobody has seen; the session before it has its own."""
    record()
    spec = planned(record(SECOND_US, keyframes=True), shots=ShotRule(), breaks=())
    shots, told = Shots(spec), []
    for item in Taped(spec, lambda: 0).items():
        told += shots.judge(item) if item is not None else []
    sessions = [one.info.session for one in told if isinstance(one, Sample)]
    assert sorted({*sessions}) == [str(FIRST_US), str(SECOND_US)]
    found = [(at, one) for at, one in enumerate(told) if isinstance(one, Shot)]
    assert {one.last.session for _, one in found} == {str(FIRST_US)}
    assert sum(one.frames for _, one in found) == 100
    first = next(at for at, one in enumerate(told) if isinstance(one, Sample)
                 and one.info.session == str(SECOND_US))  # fmt: skip
    assert all(at < first for at, _ in found), "it is over where the next one begins"
    (said,) = [one.detail for one in told if isinstance(one, Fault)]
    assert said.endswith("no rule can take others here, and no shots are told of it")


def with_reports(folder):
    """Behind the third second a camera tells its clock, which is an hour ahead."""
    for segment in segments_of(folder):
        header, *lines = segment.lines()
        header["kind"] = "rtsp"
        for line in lines:
            if isinstance(line, list) and segment.number >= 3:
                since_us = int(line[0] * Fraction(header["time_base"]) * 1_000_000)
                wall_us = FIRST_US + 3_600_000_000 + since_us
                line.append({"prft": b64encode(struct.pack("=q8x", wall_us)).decode()})
        segment.journal.write_text("".join(json.dumps(one) + "\n" for one in (header, *lines)))


@pytest.mark.parametrize(("room", "clock"), [(20, "start-time"), (1000, "capture")])
def test_whose_clock_it_goes_by_does_not_depend_on_what_a_replay_takes(
    record, monkeypatch, room, clock
):
    """The run had room for so many frames until the camera told its clock; a replay by another
    rule has room for more, or for fewer."""
    monkeypatch.setattr(dating, "MOST_BYTES", room * 56 * 56 * 3)
    folder = record(clock="capture", samplings=(Sampling.parse("all"),))
    with_reports(folder)
    monkeypatch.setattr(dating, "MOST_BYTES", 1)
    every, _, _ = played(planned(folder, samplings=(Sampling.parse("all"),)))
    monkeypatch.setattr(dating, "MOST_BYTES", 1 << 30)
    some, _, _ = played(planned(folder, samplings=(Sampling.parse("fps:1"),)))
    assert {one.info.clock for one in every} == {one.info.clock for one in some} == {clock}
    times = {one.info.position: one.info.event_time_us for one in every}
    assert {one.info.position: one.info.event_time_us for one in some}.items() <= times.items()


def test_a_frame_is_sought_from_the_segment_before_its_own_and_is_the_same(record):
    folder = record()
    whole, _, _ = played(planned(folder))
    segments_of(folder)[0].remove()
    left, _, _ = played(planned(folder))
    for wanted in (*whole[::9], whole[-1]):
        session, position = wanted.info.session, wanted.info.position
        spec = replace(planned(folder), at=(session, position, wanted.info.event_time_us))
        items = [item for item in SoughtTape(spec, lambda: 0).items() if item is not None]
        found = [item for item in items if isinstance(item, Sample)]
        if (session, position) in ids(left):
            assert ids(found)[0] == (session, position)
            assert np.array_equal(found[0].pixels, wanted.pixels)
        else:
            assert found == []
            assert "is not on the tape any more" in items[-1].detail


def test_no_more_of_a_tape_is_played_for_a_frame_than_two_segments(record):
    folder = record()
    whole, _, _ = played(planned(folder))
    last = whole[-1].info
    read = []
    for time_us in (last.event_time_us, 0):
        spec = replace(planned(folder), at=(last.session, last.position, time_us))
        read.append(len([*SoughtTape(spec, lambda: 0).items()]))
    assert read[0] == read[1], "a time that is wrong costs a look at the journals alone"
    assert read[0] < len([*Taped(planned(folder), lambda: 0).items()]) / 2


def test_a_session_that_was_never_taped_is_said(record):
    spec = replace(planned(record()), at=("17", "0", 0))
    *_, end = SoughtTape(spec, lambda: 0).items()
    assert end.detail == "session 17 is not on the tape any more, or never was"
