"""What is put arrives as it was, or whoever puts it is told why not."""

import itertools
import logging
import multiprocessing
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from pipeline import Push

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOON_US = int(NOON.timestamp()) * 1_000_000
LARGE_HW = (2000, 3000)  # more than the kernel keeps for whoever does not read
SHORT_S = 0.05  # of what nobody does


def test_frames_arrive_bit_for_bit_in_order_and_when_they_were_taken(push, client, noise):
    frames, reader = noise(5), client(push)
    got = reader.frames()
    for number, frame in enumerate(frames):
        us = push.put(frame, NOON + timedelta(microseconds=number * 33_333))
        assert us == NOON_US + number * 33_333
    push.close()
    times_us, pixels = zip(*got, strict=True)
    assert [*times_us] == [NOON_US + number * 33_333 for number in range(5)]
    assert np.array_equal(pixels, frames)


def test_a_frame_without_a_time_is_taken_now(push, client, noise):
    reader = client(push)
    before, *put, after = [
        datetime.now(UTC).timestamp() * 1e6,
        *[push.put(frame) for frame in noise(3)],
        datetime.now(UTC).timestamp() * 1e6,
    ]
    push.close()
    assert [us for us, _ in reader.frames()] == put
    assert before - 1e6 < put[0] < put[1] < put[2] < after + 1e6, "clocks may be set meanwhile"


def test_what_is_no_array_in_a_row_arrives_as_well(push, client, noise):
    """OpenCV has BGR, which one turns around without a copy; and it goes on with its buffer."""
    (frame,), reader = noise(1), client(push)
    turned = frame[:, ::-1, ::-1]
    wanted = turned.copy()
    push.put(turned)
    frame[:] = 0
    push.close()
    ((_, pixels),) = reader.frames()
    assert np.array_equal(pixels, wanted)


@pytest.mark.parametrize(
    ("frame", "got"),
    [
        (np.zeros((4, 4, 3), np.float32), r"float32 \[4, 4, 3\]"),
        (np.zeros((4, 4), np.uint8), r"uint8 \[4, 4\]"),
        (np.zeros((4, 4, 4), np.uint8), r"uint8 \[4, 4, 4\]"),
        (np.zeros((0, 4, 3), np.uint8), r"uint8 \[0, 4, 3\]"),
        ([[[0, 0, 0]]], "list"),
    ],
)
def test_what_is_no_frame_is_refused(push, frame, got):
    with pytest.raises(ValueError, match=rf"uint8, RGB \[H, W, 3\]; got {got}"):
        push.put(frame)


@pytest.mark.parametrize(
    ("time", "why"),
    [
        (datetime(2026, 11, 22), "a datetime with a zone"),  # noqa: DTZ001
        (1_795_000_000.0, "a datetime with a zone"),
        (datetime(1969, 12, 31, tzinfo=UTC), "1970 or later"),
        (NOON, "2026-11-22T12:00:00.000000Z that of the one before"),
        (NOON.replace(tzinfo=timezone(timedelta(hours=1))), "want a later one"),
    ],
)
def test_a_time_that_makes_no_sense_is_refused_and_costs_nothing(push, client, noise, time, why):
    first, wrong, last = noise(3)
    reader = client(push)
    push.put(first, NOON)
    with pytest.raises(ValueError, match=why):
        push.put(wrong, time)
    push.put(last, NOON + timedelta(microseconds=1))
    push.close()
    assert np.array_equal([pixels for _, pixels in reader.frames()], [first, last])


def test_a_frame_of_another_size_is_refused_and_costs_nothing(push, client, noise):
    first, last = noise(2)
    reader = client(push)
    push.put(first)
    with pytest.raises(ValueError, match="a frame of 8x6 behind one of 64x48"):
        push.put(*noise(1, (6, 8)))
    push.put(last)
    push.close()
    assert len([*reader.frames()]) == 2


def test_a_frame_waits_for_a_reader(push, client, background, noise):
    (frame,) = noise(1)
    waits = background(lambda: push.put(frame, NOON))
    reader = client(push)
    assert waits.result() == NOON_US
    push.close()
    ((_, pixels),) = reader.frames()
    assert np.array_equal(pixels, frame)


def test_a_frame_that_nobody_comes_to_read_may_be_put_again(client, noise):
    first, last = noise(2)
    with Push(timeout_s=SHORT_S) as push, pytest.raises(TimeoutError, match="nobody has come"):
        push.put(first, NOON)
    with Push(timeout_s=None) as push:
        reader = client(push)
        push.put(first, NOON)
        push.put(last)
    assert len([*reader.frames()]) == 2


@pytest.mark.slow
def test_whoever_puts_is_no_faster_than_whoever_reads(push, client, background, noise):
    """But for what the kernel keeps, which is less than such a frame."""
    frames, reader = noise(4, LARGE_HW), client(push)
    put = []
    puts = background(lambda: [put.append(push.put(frame)) for frame in frames])
    pieces = []
    for half in range(1, 9):
        pieces.append(reader.read(frames[0].nbytes // 2))
        assert len(put) <= half / 2 + 1
    puts.result()
    push.close()
    data = b"".join([*pieces, reader.read(1 << 20)])
    assert all(frame.tobytes() in data for frame in frames)


def test_a_reader_that_stands_still_is_given_up(client, noise):
    """A part of a frame is on its way by then, which nothing can follow."""
    (frame,) = noise(1, LARGE_HW)
    with Push(timeout_s=SHORT_S) as push:
        still = client(push)
        with pytest.raises(TimeoutError, match="has not read the frame in time"):
            push.put(frame, NOON)
        assert len(still.read(1 << 30)) < frame.nbytes


def test_the_frame_that_a_reader_leaves_in_is_whole_at_the_next(
    push, client, background, noise, caplog
):
    frames = noise(2, LARGE_HW)
    reader = client(push)
    puts = background(lambda: [push.put(frame) for frame in frames])
    reader.read(frames[0].nbytes + 1000)
    reader.close()
    again = client(push, until_free=True)
    received = background(lambda: [*again.frames()])
    first_us, last_us = puts.result()
    push.close()
    ((us, pixels),) = received.result()
    assert first_us < us == last_us
    assert np.array_equal(pixels, frames[1])
    told = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert len(told) == 1
    assert "has gone after 1 frames" in told[0]
    assert push.url not in told[0]


def test_frames_of_several_threads_come_one_after_another(push, client, noise):
    reader, threads = client(push), []
    for kind in range(3):
        frames = np.full((8, 16, 16, 3), kind, np.uint8)
        threads.append(threading.Thread(target=lambda some=frames: [*map(push.put, some)]))
        threads[-1].start()
    for thread in threads:
        thread.join()
    push.close()
    times_us, pixels = zip(*reader.frames(), strict=True)
    assert all(early < late for early, late in itertools.pairwise(times_us))
    assert sorted(picture[0, 0, 0] for picture in pixels) == [0] * 8 + [1] * 8 + [2] * 8


def test_closing_wakes_whoever_waits_and_lets_nobody_in(push, client, background, noise):
    (frame,) = noise(1)
    waits = background(lambda: push.put(frame))
    push.close()
    with pytest.raises(ValueError, match="this Push is closed"):
        waits.result()
    with pytest.raises(ValueError, match="this Push is closed"):
        push.put(frame)
    with pytest.raises(ConnectionRefusedError):
        client(push)
    push.close()


def _put_and_close(push):
    try:
        push.put(np.zeros((4, 4, 3), np.uint8))
    except RuntimeError:
        push.close()
        os._exit(0)
    os._exit(1)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_is_told_and_takes_nothing_from_its_parent(push, client, noise):
    reader = client(push)
    push.put(noise(1)[0])
    child = multiprocessing.get_context("fork").Process(target=_put_and_close, args=(push,))
    child.start()
    child.join()
    assert child.exitcode == 0
    push.put(noise(1)[0])
    push.close()
    assert len([*reader.frames()]) == 2


@pytest.mark.slow
def test_importing_pipeline_brings_neither_libav_nor_torch():
    script = (
        "import sys, pipeline; print({'av', 'torch', 'numpy'} & {*sys.modules}); "
        "pipeline.Push; print({'av', 'torch'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["set()", "{'av'}"]
