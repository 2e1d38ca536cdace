"""Tapes as they lie on the disk: what is kept of packets, what is bounded, what goes wrong."""

import json
import resource
import stat
from contextlib import closing, contextmanager
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest
from av.packet import PacketSideData, packet_sidedata_type_from_literal

from pipeline.errors import SourceError
from pipeline.media.container import open_video
from pipeline.media.film_clock import FilmClock
from pipeline.media.follow import Turn, followed
from pipeline.media.picture import Loss, Picture, Splice
from pipeline.media.tape import FORMAT, MARKER, Taping, segments_of, tape_stream, tapes_at, trim
from pipeline.media.tape_clip import cut, stretches
from pipeline.media.tape_reel import TapeReel
from pipeline.media.tape_writer import TapeWriter

BEGAN_US = 1_700_000_000_000_000
STEP_US = 40_000
GIB = 1 << 30
RULES = {"max_pixels": 1 << 24, "damaged": False, "deinterlace": True}


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Fifty pictures of H.264 in groups of ten, shown in another order than they are sent in."""
    path = tmp_path_factory.mktemp("clip") / "clip.ts"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, width=160, height=96, pix_fmt="yuv420p")
        stream.codec_context.options = {"bf": "2", "g": "10", "sc_threshold": "0", "threads": "1"}
        noise = np.random.default_rng(0)
        for _ in range(50):
            pixels = noise.integers(0, 255, (96, 160, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode(None))
    return str(path)


class Deck:
    """Tapes a film as if it came from a camera, 25 packets a second."""

    def __init__(self, folder, film, *, state=lambda: None, **bounds):
        self.now_us = BEGAN_US
        self._clip = film
        told = {"max_bytes": GIB, "segment_s": 1000.0} | bounds
        taping = Taping(str(folder), **told)
        self.folder = folder / "cam"
        self.tape = TapeWriter(taping, "cam", str(BEGAN_US), "arrival", lambda: self.now_us, state)

    def record(self, alter=lambda packet, number: None, *, end=True):
        """All of it; `alter` what comes, as a camera does. Gives pixels and times as decoded."""
        with closing(open_video(self._clip, max_pixels=1 << 24, timeout_s=1)) as opened:
            self.tape.begin(opened, Fraction(1, 90_000))
            packets = [packet for packet in followed(opened) if packet is not None and packet.size]
            for number, packet in enumerate(packets):
                alter(packet, number)
                self.now_us += STEP_US
                self.tape.hear(packet)
            if end:
                self.tape.end()
            self.tape.close()
        return packets


def played(folder, **rules):
    reel = TapeReel(segments_of(folder), **RULES | rules)
    with closing(reel):
        steps = [(step, reel.now_us()) for step in reel.pictures()]
    return reel, steps


def pictures(steps):
    return [
        (one.pts, one.frame.to_ndarray().tobytes()) for one, _ in steps if isinstance(one, Picture)
    ]


def decoded(film):
    with av.open(film) as container:
        return [(one.pts, one.to_ndarray().tobytes()) for one in container.decode(video=0)]


def lines(folder):
    return [line for segment in segments_of(folder) for line in segment.lines()]


def test_pictures_are_those_that_came(tmp_path, film):
    deck = Deck(tmp_path, film)
    deck.record()
    reel, steps = played(deck.folder)
    assert pictures(steps) == decoded(film)
    assert reel.broken == ""
    assert {at for _, at in steps} == {BEGAN_US + n * STEP_US for n in range(1, 51)}
    assert reel.now_us() == BEGAN_US + 50 * STEP_US


def test_what_no_container_takes_is_kept(tmp_path, film):
    """No timestamp, one twice, an hour back, a damaged packet, a sender's report."""
    report = PacketSideData(packet_sidedata_type_from_literal("prft"), 16)
    report.update(bytes(range(16)))

    def alter(packet, number):
        if number == 3:
            packet.pts = packet.dts = None
        if number == 5:
            packet.set_sidedata(report)
        if number >= 20:
            packet.pts, packet.dts = packet.pts - 324_000_000, packet.dts - 324_000_000
        packet.is_corrupt = number == 7

    deck = Deck(tmp_path, film)
    packets = deck.record(alter)
    _, *told, end = lines(deck.folder)
    assert end == "end"
    assert [line[:3] for line in told] == [[one.pts, one.dts, one.duration] for one in packets]
    assert [line[3] for line in told] == [one.is_keyframe + 2 * one.is_corrupt for one in packets]
    assert [number for number, line in enumerate(told) if line[6:]] == [5]
    _, steps = played(deck.folder)
    assert {step.detail for step, _ in steps if isinstance(step, Loss)}  # the one that is damaged
    with av.open(str(segments_of(deck.folder)[0].film)) as opened:  # and it plays
        assert len([packet for packet in opened.demux(video=0) if packet.size]) == 50


def test_segments_begin_with_key_frames_and_go_together(tmp_path, film):
    deck = Deck(tmp_path, film, segment_s=0.3)
    deck.record()
    segments = segments_of(deck.folder)
    assert [one.number for one in segments] == [1, 2, 3, 4, 5]
    assert all(
        next(line for line in one.lines() if isinstance(line, list))[3] == 1 for one in segments
    )
    assert pictures(played(deck.folder)[1]) == decoded(film)


def test_an_oldest_segment_only_warms_the_decoder_up(tmp_path, film):
    deck = Deck(tmp_path, film, segment_s=0.3, state=lambda: {"sender": [None, None]})
    deck.record()
    segments_of(deck.folder)[0].remove()
    reel, steps = played(deck.folder)
    assert reel.state == {"sender": [None, None]}
    kept = pictures(steps)
    assert 30 <= len(kept) <= 38
    assert kept == decoded(film)[-len(kept) :]


def test_where_a_segment_is_missing_the_rest_is_not_guessed(tmp_path, film):
    deck = Deck(tmp_path, film, segment_s=0.3)
    deck.record()
    segments_of(deck.folder)[2].remove()
    reel, steps = played(deck.folder)
    assert reel.broken == "segment 3 is gone, and the decoder cannot do without it"
    assert pictures(steps) == decoded(film)[: len(pictures(steps))]


@pytest.mark.parametrize("cut_off", [1, 30, 700])
def test_a_tape_that_was_cut_off_is_played_as_far_as_it_goes(tmp_path, film, cut_off):
    """As kill -9 leaves it: half a line, or a line without its packet."""
    deck = Deck(tmp_path, film)
    deck.record(end=False)
    (segment,) = segments_of(deck.folder)
    text = segment.journal.read_bytes()
    segment.journal.write_bytes(text[:-cut_off])
    reel, steps = played(deck.folder)
    assert reel.broken == ""
    assert pictures(steps) == decoded(film)[: len(pictures(steps))]
    assert len(pictures(steps)) > 5


def test_a_film_that_is_not_its_journals_is_told(tmp_path, film):
    deck = Deck(tmp_path, film)
    deck.record()
    (segment,) = segments_of(deck.folder)
    segment.film.write_bytes(segment.film.read_bytes()[:-3000])
    reel, _ = played(deck.folder)
    assert reel.broken == f"{segment.film.name} is not what its journal says"


def test_nobody_else_may_read_it_and_no_name_tells_more_than_the_session(tmp_path, film):
    deck = Deck(tmp_path / "tapes", film)
    deck.record()
    assert stat.S_IMODE(deck.folder.stat().st_mode) == 0o700
    found = {one.name: stat.S_IMODE(one.stat().st_mode) for one in deck.folder.iterdir()}
    names = (MARKER, f"{BEGAN_US}-000001.nut", f"{BEGAN_US}-000001.jsonl")
    assert found == dict.fromkeys(names, 0o600)
    assert tape_stream(str(deck.folder)) == "cam"


def test_the_oldest_go_where_there_are_too_many_bytes_or_days(tmp_path, film):
    deck = Deck(tmp_path, film, segment_s=0.3)
    deck.record()
    sizes = [one.size_bytes for one in segments_of(deck.folder)]
    taping = Taping(str(tmp_path), sum(sizes[2:]))
    written_s = segments_of(deck.folder)[-1].written_s
    gone = trim(deck.folder, taping, written_s)
    assert [one.number for one in gone] == [1, 2]
    assert [one.number for one in segments_of(deck.folder)] == [3, 4, 5]
    assert trim(deck.folder, taping, written_s) == []
    assert len(trim(deck.folder, replace(taping, max_age_s=60.0), written_s + 61)) == 3
    assert [one.name for one in deck.folder.iterdir()] == [MARKER]


@contextmanager
def room_for(size):
    """Files of this process may not be larger, as where a disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_takes_no_more_ends_the_tape_and_says_so_once(tmp_path, film):
    deck = Deck(tmp_path, film)
    with room_for(100_000):
        deck.record()
    assert deck.tape.now_us == BEGAN_US + 50 * STEP_US  # the stream went on
    assert deck.tape.take_failure() == "it is not taped any more: File too large"
    assert deck.tape.take_failure() == ""
    reel, steps = played(deck.folder)
    assert 0 < len(pictures(steps)) < 50
    assert pictures(steps) == decoded(film)[: len(pictures(steps))]
    assert reel.broken == ""


def test_a_folder_that_cannot_be_made_is_told(tmp_path, film):
    (tmp_path / "file").write_text("")
    deck = Deck(tmp_path / "file", film)
    deck.record()
    assert deck.tape.take_failure() == "it is not taped any more: Not a directory"


def test_a_tape_of_a_newer_version_is_refused(tmp_path):
    (tmp_path / MARKER).write_text(json.dumps({"format": FORMAT + 1, "stream": "cam"}))
    with pytest.raises(SourceError, match="of another version of dinostream"):
        tape_stream(str(tmp_path))
    assert tape_stream(str(tmp_path / "nothing")) is None


@pytest.mark.parametrize("said", [{}, [], {"format": FORMAT}, {"format": "1", "stream": "cam"}])
def test_what_others_call_so_is_no_tape(tmp_path, said):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / MARKER).write_text(json.dumps(said))
    assert tapes_at(str(tmp_path)) == {}


def test_a_stream_that_goes_on_under_another_number_begins_a_segment(tmp_path, film):
    deck = Deck(tmp_path, film)
    with closing(open_video(film, max_pixels=1 << 24, timeout_s=1)) as opened:
        deck.tape.begin(opened, Fraction(1, 90_000))
        packets = [packet for packet in followed(opened) if packet is not None and packet.size]
        for packet in packets[:20]:
            deck.tape.hear(packet)
        deck.tape.hear(Turn(opened.stream, splices=True))
        for packet in packets[20:]:
            deck.tape.hear(packet)
        deck.tape.hear(None)
        deck.tape.hear(Loss(1, "a frame came late"))
        deck.tape.end()
        deck.tape.close()
    reel, steps = played(deck.folder)
    assert pictures(steps) == decoded(film)
    assert [type(step) for step, _ in steps if isinstance(step, Splice | Loss)] == [Splice, Loss]
    assert reel.broken == ""


def test_a_clip_begins_with_the_key_frame_before_its_time(tmp_path, film):
    deck = Deck(tmp_path, film, segment_s=0.3)
    deck.record()
    from_us, to_us = BEGAN_US + 15 * STEP_US, BEGAN_US + 34 * STEP_US
    found = stretches(segments_of(deck.folder), from_us, to_us)
    made = cut(found, tmp_path / "cut.mkv")
    assert (made.first_us, made.last_us, made.packets) == (BEGAN_US + 11 * STEP_US, to_us, 24)
    shown = [pixels for _, pixels in decoded(str(tmp_path / "cut.mkv"))]
    assert shown[:20] == [pixels for _, pixels in decoded(film)][10:30]


@pytest.mark.parametrize(
    ("came", "placed"),
    [
        ([(0, 0), (10, 10), (20, 20)], [(0, 0), (10, 10), (20, 20)]),
        ([(None, None), (10, 10), (20, 20)], [(0, 0), (10, 10), (20, 20)]),
        ([(50, 50), (60, 60), (60, 60)], [(0, 0), (10, 10), (20, 20)]),
        ([(30, 0), (10, 10), (20, 20)], [(30, 0), (10, 10), (20, 20)]),
        ([(0, 0), (10, 10), (-99_999, -99_999)], [(0, 0), (10, 10), (20, 20)]),
        ([(0, 0), (10, 10), (99_999, 99_999)], [(0, 0), (10, 10), (20, 20)]),
    ],
    ids=["plain", "none at first", "twice", "reordered", "back", "ahead"],
)
def test_times_of_a_film_rise_without_leaps(came, placed):
    clock = FilmClock(Fraction(1, 1000))
    assert [clock.place(*one) for one in came] == placed
