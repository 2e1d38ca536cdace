"""The parts of a decode process without any media: chunks, messages, the live buffer, back-off."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from random import Random

import numpy as np
import pytest

from operators.frames import FrameInfo
from pipeline.decode.backlog import Backlog
from pipeline.decode.backoff import LONGEST_S, Backoff
from pipeline.decode.buffer import Buffer
from pipeline.decode.child import wait_for_room
from pipeline.decode.collector import Collector, entries
from pipeline.decode.track import Sample
from pipeline.decode.wire import Message, Unpacker, pack, write_all
from pipeline.stream.chunk import CHUNK_FRAMES, MANIFEST_FRAMES, End, Fault, Frames, Gap
from pipeline.stream.drift import Drift
from pipeline.stream.layout import Layout
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec
from pipeline.testing import ManualClock

GAP, FAULT, END = Gap("s", "size"), Fault("s", "decode", "bad", 1), End("s", "ok")


def sample(number: int, size_hw: tuple[int, int] = (14, 28)) -> Sample:
    info = FrameInfo(
        "s", "x", str(number), number, Fraction(1, 30), number, 7, (10, 20), "media", 3
    )
    pixels = np.full((*size_hw, 3), number, np.uint8)
    cursor = {"position": str(number), "sampled": number + 1}
    return Sample(info, pixels, 1 << number % 3, cursor, number / 9)


def live(**more) -> StreamSpec:
    """The spec of a camera."""
    return StreamSpec("s", "rtsp://x", live=True, **({"samplings": (Sampling("all"),)} | more))


def run(first: int, count: int, *, at_s: float) -> Frames:
    """A run of frames of which one arrived every second."""
    (frames,) = entries([sample(number) for number in range(first, first + count)])
    assert isinstance(frames, Frames)
    return replace(frames, arrived_s=tuple(at_s + number for number in range(count)))


def shape(found: Sequence[object]) -> list[object]:
    """Frames as the list of their positions, other entries as they are."""
    return [
        [info.position for info in entry.infos] if isinstance(entry, Frames) else entry
        for entry in found
    ]


def test_runs_are_put_together_and_broken_by_gaps_and_sizes() -> None:
    items = [sample(0), sample(1), GAP, sample(2), sample(3, (28, 28)), sample(4, (28, 28)), END]
    assert shape(entries(items)) == [["0", "1"], GAP, ["2"], ["3", "4"], END]
    other = replace(sample(1), info=replace(sample(1).info, session="y"))
    assert shape(entries([sample(0), other])) == [["0"], ["1"]], "sessions too"
    first = entries(items)[0]
    assert isinstance(first, Frames)
    assert first.cursor["position"] == "1"
    assert first.taken == (1, 2)
    assert first.pixels[:, 0, 0, 0].tolist() == [0, 1]


def test_a_run_tells_of_its_cameras_clock_as_of_its_last_frame() -> None:
    early, late = Drift(1.0, 30.0), Drift(2.0, 31.0)
    items = [replace(sample(n), drift=drift, ahead_us=n) for n, drift in enumerate((early, late))]
    (frames,) = entries(items)
    assert isinstance(frames, Frames)
    assert (frames.drift, frames.ahead_us) == (late, 1)


def test_losses_are_summed_up_and_do_not_break_runs() -> None:
    other = Fault("s", "decode", "worse", 2)
    found = entries([FAULT, sample(0), FAULT, sample(1), other, sample(2)])
    assert shape(found[1:]) == [["0", "1", "2"]]
    assert found[0] == Fault("s", "decode", "bad (and 1 others)", 4)


def test_the_first_chunk_is_full_at_8_frames_and_others_at_16() -> None:
    collector = Collector(1000, ManualClock())
    for frames in (8, 16, 16):
        for number in range(frames):
            assert not collector.full
            collector.add(sample(number))
        assert collector.full
        assert shape(collector.take()) == [[str(number) for number in range(frames)]]
        assert not collector.full


def test_a_chunk_is_full_where_a_manifest_belongs_whatever_came_before() -> None:
    for first in (0, 3, MANIFEST_FRAMES - 1):
        collector = Collector(1000, ManualClock())
        ends = []
        for number in range(first, MANIFEST_FRAMES + 17):
            collector.add(replace(sample(0), cursor={"sampled": number + 1}))
            if collector.full:
                ends.append(number + 1)
                collector.take()
        assert MANIFEST_FRAMES in ends
        assert MANIFEST_FRAMES + CHUNK_FRAMES in ends


def test_a_chunk_is_full_after_its_time_once_it_holds_frames() -> None:
    clock = ManualClock()
    collector = Collector(500, clock)
    collector.add(FAULT)
    clock.advance(100)
    assert not collector.full
    collector.add(sample(0))
    clock.advance(0.49)
    assert not collector.full
    clock.advance(0.01)
    assert collector.full


def test_repetitions_that_wait_hold_no_pixels_but_the_last_one() -> None:
    collector = Collector(1000, ManualClock())
    kept = [replace(sample(number), repeats="0") for number in range(1, 4)]
    seen = [weakref.ref(one.pixels) for one in kept]
    collector.add(sample(0))
    while kept:
        collector.add(kept.pop(0))
    assert [one() is None for one in seen] == [True, True, False]
    assert shape(collector.take()) == [["0"], ["1", "2", "3"]]


def test_what_comes_after_the_last_frame_waits_for_the_next_chunk() -> None:
    clock = ManualClock()
    collector = Collector(500, clock)
    for item in (FAULT, sample(0), FAULT, GAP):
        collector.add(item)
    clock.advance(1)
    assert shape(collector.take()) == [FAULT, ["0"]]
    collector.add(sample(1))
    clock.advance(1)
    assert shape(collector.take()) == [FAULT, GAP, ["1"]]
    collector.add(END)
    assert collector.full
    assert collector.take() == (END,)


def test_messages_survive_any_cutting() -> None:
    sent = [
        Message("news"),
        Message(
            "chunk",
            (
                FAULT,
                replace(run(7, 2, at_s=1.5), drift=Drift(-7.5, 60.0), ahead_us=-7_200_000_000),
                *entries([sample(0), sample(1), GAP, sample(2, (28, 28))]),
                END,
            ),
        ),
        Message("chunk"),
    ]
    data = b"".join(bytes(buffer) for message in sent for buffer in pack(message))
    rng = Random(1)
    for _ in range(20):
        unpacker, found, rest = Unpacker(), [], data
        while rest:
            cut = rng.choice([1, 3, 11, 500, 5000])
            found += unpacker.feed(rest[:cut])
            rest = rest[cut:]
        assert [message.kind for message in found] == ["news", "chunk", "chunk"]
        assert found[0] == sent[0]
        assert found[2] == sent[2]
        for there, here in zip(found[1].entries, sent[1].entries, strict=True):
            if not isinstance(there, Frames):
                assert there == here
                continue
            assert isinstance(here, Frames)
            assert (there.infos, there.taken, there.cursor) == (here.infos, here.taken, here.cursor)
            assert (there.pixels == here.pixels).all()
            assert (there.share, there.before) == (here.share, here.before)
            assert there.arrived_s == here.arrived_s
            assert there.pixels.shape == here.pixels.shape


def test_bytes_that_are_no_message() -> None:
    with pytest.raises(ValueError, match="message of"):
        Unpacker().feed(b"\xff" * 100)


def test_writing_more_than_the_pipe_holds() -> None:
    read_fd, write_fd = os.pipe()
    data = os.urandom(300_000)
    writer = threading.Thread(target=write_all, args=(write_fd, [data[:7], memoryview(data)[7:]]))
    writer.start()
    found = b""
    while len(found) < len(data):
        found += os.read(read_fd, 65536)
    writer.join()
    os.close(read_fd)
    os.close(write_fd)
    assert found == data


def test_the_buffer_drops_the_oldest_and_says_so() -> None:
    buffer = Buffer(live(buffer_frames=20, chunk_ms=60_000))
    for number in range(30):
        buffer.put(sample(number))
    found = buffer.take(0)
    assert found is not None
    assert shape(found) == [Gap("s", "dropped", 10, (), "full"), [str(n) for n in range(10, 26)]]
    assert buffer.take(0.01) is None
    buffer.close()
    assert shape(buffer.take(0) or ()) == [[str(n) for n in range(26, 30)]]
    assert buffer.take(0) == ()


def test_the_buffer_drops_what_is_too_old_and_says_why() -> None:
    """Three rules take a third of the frames each; what is dropped for two reasons is two gaps."""
    clock = ManualClock()
    rules = (Sampling("all"), Sampling("every", 2), Sampling("every", 3))
    spec = live(buffer_frames=6, max_age_s=2.5, chunk_ms=1, samplings=rules)
    buffer = Buffer(spec, clock=clock)
    for number in range(9):
        buffer.put(sample(number))
    clock.advance(2.0)
    buffer.put(sample(9))
    buffer.put(GAP)
    clock.advance(1.0)
    found = buffer.take(0)
    assert found is not None
    assert shape(found) == [
        Gap("s", "dropped", 4, (2, 1, 1), "full"),
        Gap("s", "dropped", 5, (1, 2, 2), "late"),
        ["9"],
        GAP,
    ]
    assert buffer.taken == {1: 4, 2: 3, 4: 3}


def test_frames_that_wait_as_long_as_it_takes_are_never_too_old() -> None:
    clock = ManualClock()
    buffer = Buffer(live(max_age_s=1.0, chunk_ms=1), clock=clock)
    buffer.put(sample(0), patient=True)
    clock.advance(1e6)
    assert shape(buffer.take(0) or ()) == [["0"]]


def test_the_backlog_of_a_camera_is_bounded_in_frames_and_in_age() -> None:
    backlog = Backlog(live(buffer_frames=10, max_age_s=5.0))
    backlog.add((run(0, 8, at_s=0.0), GAP, run(8, 8, at_s=8.0)), now_s=3.0)
    backlog.add((FAULT,), now_s=3.0)
    taken = backlog.take(now_s=12.5)  # of 6 and 7 too late, of 0 to 5 there were too many
    assert shape(taken) == [
        Gap("s", "dropped", 6, (), "full"),
        Gap("s", "dropped", 2, (), "late"),
        GAP,
        [str(number) for number in range(8, 16)],
        FAULT,
    ]
    assert not backlog
    assert [entry.before for entry in taken if isinstance(entry, Frames)] == [8]


def test_a_run_that_is_cut_in_two_keeps_its_numbers() -> None:
    backlog = Backlog(live(buffer_frames=3))
    backlog.add((run(0, 8, at_s=0.0),), now_s=0.0)
    _, left = backlog.take(now_s=1.0)
    assert isinstance(left, Frames)
    assert (shape([left]), left.before, left.arrived_s) == ([["5", "6", "7"]], 5, (5.0, 6.0, 7.0))
    assert left.pixels[:, 0, 0, 0].tolist() == [5, 6, 7]


def test_the_backlog_of_a_recording_has_no_bounds_and_a_chunk_has() -> None:
    backlog = Backlog(replace(live(buffer_frames=1), live=False, session="x"))
    for first in range(0, 40, 8):
        backlog.add((run(first, 8, at_s=0.0),), now_s=1e6)
    assert [len(backlog.take(now_s=1e6)) for _ in range(3)] == [2, 2, 1]


def test_what_is_no_frame_is_never_dropped() -> None:
    clock = ManualClock()
    buffer = Buffer(live(buffer_frames=2, chunk_ms=1), clock=clock)
    for item in (FAULT, sample(0), GAP, sample(1), sample(2), sample(3), END):
        buffer.put(item)
    clock.advance(0.01)
    found = buffer.take(0)
    assert found is not None
    assert FAULT in found
    assert GAP in found
    assert Gap("s", "dropped", 2, (), "full") in found
    assert END in found
    assert [entry for entry in shape(found) if isinstance(entry, list)] == [["2", "3"]]


@pytest.mark.slow
def test_an_hour_that_nobody_asks_in_leaves_a_few_entries_that_say_all_of_it() -> None:
    """20 losses, a break and a frame a second."""
    buffer = Buffer(live(buffer_frames=2, chunk_ms=1))
    for second in range(3600):
        for _ in range(20):
            buffer.put(FAULT)
        buffer.put(Gap("s", "clock"))
        buffer.put(sample(second % 200))
    clock = Gap("s", "clock")
    assert shape(buffer.take(5) or ()) == [
        Fault("s", "decode", "bad", 20 * 3600),
        Gap("s", "dropped", 3598, (), "full"),
        *(clock, ["198"], clock, ["199"]),
    ]


def test_a_camera_that_comes_and_goes_while_nobody_asks_leaves_a_few_entries() -> None:
    backlog = Backlog(live(buffer_frames=10, samplings=(Sampling("all"), Sampling("every", 2))))
    back = Gap("s", "reconnected")
    for turn in range(100):
        told = (FAULT, Gap("s", "dropped", 3, (3, 1), "full"), back)
        backlog.add((*told, run(0, 8, at_s=turn)), now_s=turn)
    assert shape(backlog.take(now_s=99)) == [
        Gap("s", "dropped", 790, (296, 296), "full"),
        *(replace(FAULT, lost=99), Gap("s", "dropped", 297, (297, 99), "full"), back, ["6", "7"]),
        *(FAULT, Gap("s", "dropped", 3, (3, 1), "full"), back, [str(one) for one in range(8)]),
    ]


def test_the_buffer_waits_for_more_until_its_time() -> None:
    buffer = Buffer(live(buffer_frames=20, chunk_ms=50))
    assert buffer.take(0.01) is None
    buffer.put(sample(0))
    assert shape(buffer.take(5) or ()) == [["0"]]


def test_a_patient_writer_drops_nothing() -> None:
    buffer = Buffer(live(buffer_frames=3, chunk_ms=1))

    def fill() -> None:
        for number in range(50):
            assert buffer.wait_for_room(60)
            buffer.put(sample(number), patient=True)
        buffer.close()

    writer = threading.Thread(target=fill)
    writer.start()
    found: list = []
    while (chunk := buffer.take(5)) != ():
        found += shape(chunk or ())
    writer.join()
    assert [position for run in found for position in run] == [str(n) for n in range(50)]


def test_whoever_waits_for_room_shows_signs_of_life() -> None:
    buffer, alive = Buffer(live(buffer_frames=1, chunk_ms=1)), threading.Event()
    buffer.put(sample(0))
    writer = threading.Thread(target=wait_for_room, args=(buffer, alive.set))
    writer.start()
    for _ in range(2):
        assert alive.wait(60)
        alive.clear()
    assert buffer.take(5)
    writer.join()


def test_of_a_stream_whose_latest_frame_is_wanted_one_waits_and_at_no_chunk() -> None:
    clock = ManualClock()
    buffer = Buffer(live(drop="latest", chunk_ms=60_000), clock=clock)
    for number in range(3):
        buffer.put(sample(number))
    assert shape(buffer.take(0) or ()) == [Gap("s", "dropped", 2, (), "full"), ["2"]]
    buffer.put(sample(3))
    assert shape(buffer.take(0) or ()) == [["3"]]
    backlog = Backlog(live(drop="latest"))
    backlog.add((run(0, 8, at_s=0.0),), now_s=0.0)
    assert shape(backlog.take(now_s=0.0)) == [Gap("s", "dropped", 7, (), "full"), ["7"]]


def test_the_backlog_of_a_stream_that_blocks_drops_nothing() -> None:
    backlog = Backlog(live(drop="block", buffer_frames=1, max_age_s=1.0))
    backlog.add((run(0, 8, at_s=0.0),), now_s=1e6)
    assert shape(backlog.take(now_s=1e6)) == [[str(number) for number in range(8)]]


def test_back_off_grows_is_bounded_and_jitters() -> None:
    backoff = Backoff(Random(1))
    delays = [backoff.next_s() for _ in range(2000)]
    ceilings = [0.5, 1, 2, 4, 8, 16, *[LONGEST_S] * 1994]
    assert all(c / 2 <= d <= c for d, c in zip(delays, ceilings, strict=True))
    assert len(set(delays)) > 1900
    backoff.reset()
    assert backoff.next_s() <= 0.5


def test_a_spec_survives_json() -> None:
    spec = StreamSpec(
        "cam1",
        "rtsp://u:geheim@host/1",
        live=True,
        samplings=(Sampling("fps", 0.1), Sampling("keyframes")),
        start_time_us=5,
        epoch=3,
        cursor={"position": "1+2"},
        join=("a", "b"),
        layout=Layout("{stream}/{time:%s}.mp4"),
    )
    assert StreamSpec.from_json(spec.to_json()) == spec
    assert "geheim" not in repr(spec)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"samplings": ()}, "sampling rule"),
        ({"short_side": 13}, "at least 14"),
        ({"session": ""}, "needs a session"),
        ({"stall_s": 0}, "stall_s must be above 0"),
        ({"max_pixels": -1}, "max_pixels must be above 0"),
    ],
)
def test_wrong_specs_are_refused(change, complaint) -> None:
    with pytest.raises(ValueError, match=complaint):
        StreamSpec(**({"stream": "s", "url": "x", "session": "5"} | change))
