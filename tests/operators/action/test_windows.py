"""Sliding windows against their definition, over every small case and random gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from operators.action.windows import SlidingWindow, Window
from operators.frames import FrameInfo

Span = tuple[int, int, bool]  # first and last frame, partial
SHAPES = [(frames, stride) for frames in (1, 2, 3, 5, 8) for stride in range(1, frames + 1)]


def spans(count: int, frames: int, stride: int) -> list[Span]:
    """By definition: full windows from every multiple of the stride; then the next one, short, if a
    frame is in none."""
    full = [(s, s + frames - 1, False) for s in range(0, count - frames + 1, stride)]
    if count and (not full or full[-1][1] < count - 1):
        full.append((len(full) * stride, count - 1, True))
    return full


def vector(number: int) -> np.ndarray:
    return np.array([number, -number, 0.1 * number], dtype=np.float32)


def numbered(window: Window | None, first: int = 0) -> list[Span]:
    if window is None:
        return []
    numbers = [int(info.position) // 18_000 for info in window.infos]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    np.testing.assert_array_equal(window.vectors, [vector(number) for number in numbers])
    return [(numbers[0] - first, numbers[-1] - first, window.partial)]


@pytest.mark.parametrize(("frames", "stride"), SHAPES)
def test_windows_are_what_the_definition_says(
    frame: Callable[..., FrameInfo], frames: int, stride: int
) -> None:
    for count in range(3 * frames + 2):
        window = SlidingWindow(frames, stride)
        got = []
        for number in range(count):
            got += numbered(window.push(frame(number), vector(number)))
        got += numbered(window.flush())
        assert got == spans(count, frames, stride)
        assert {f for first, last, _ in got for f in range(first, last + 1)} == set(range(count))
        assert window.flush() is None


@pytest.mark.parametrize(("frames", "stride"), SHAPES)
def test_a_repeated_frame_has_the_numbers_of_the_one_before(
    frame: Callable[..., FrameInfo], frames: int, stride: int
) -> None:
    """Also where that is in no window any more, and the process was killed in between."""
    window, plain = SlidingWindow(frames, stride), SlidingWindow(frames, stride)
    for number in range(3 * frames + 2):
        own = vector(number - number % 3)
        window = SlidingWindow.restored(window.snapshot(), frames=frames, stride=stride)
        again = window.repeat(frame(number)) if number % 3 else window.push(frame(number), own)
        seen = plain.push(frame(number), own)
        assert (again is None) == (seen is None)
        if again and seen:
            assert again.infos == seen.infos
            np.testing.assert_array_equal(again.vectors, seen.vectors)
    window.flush()
    assert window.repeat(frame(99)) is None
    assert window.flush() is None, "there was nothing to repeat"


def stretches(draw: np.random.Generator) -> Iterator[int]:
    """Lengths of what lies between gaps."""
    for _ in range(draw.integers(1, 6)):
        yield int(draw.integers(0, 25))


@pytest.mark.parametrize("seed", range(40))
def test_gaps_begin_anew_and_nothing_is_lost(frame: Callable[..., FrameInfo], seed: int) -> None:
    draw = np.random.default_rng(seed)
    frames = int(draw.integers(1, 10))
    stride = int(draw.integers(1, frames + 1))
    window, first = SlidingWindow(frames, stride), 0
    for count in stretches(draw):
        got = []
        for number in range(first, first + count):
            got += numbered(window.push(frame(number), vector(number)), first)
        got += numbered(window.flush(), first)
        assert got == spans(count, frames, stride)
        first += count


@pytest.mark.parametrize(("frames", "stride"), SHAPES)
def test_put_away_and_taken_up_at_every_frame(
    frame: Callable[..., FrameInfo], frames: int, stride: int
) -> None:
    count = 2 * frames + 1
    for stop in range(count + 1):
        window = SlidingWindow(frames, stride)
        got = []
        for number in range(count):
            if number == stop:
                window = SlidingWindow.restored(window.snapshot(), frames=frames, stride=stride)
            got += numbered(window.push(frame(number), vector(number)))
        if stop == count:
            window = SlidingWindow.restored(window.snapshot(), frames=frames, stride=stride)
        assert got + numbered(window.flush()) == spans(count, frames, stride)


def test_frames_survive_with_all_they_are(frame: Callable[..., FrameInfo]) -> None:
    info = frame(3, pts=None, position="54000+2", clock="start-time", epoch=7)
    window = SlidingWindow(2, 1)
    window.push(info, vector(3))

    state = window.snapshot()
    restored = SlidingWindow.restored(state, frames=2, stride=1)

    assert restored.snapshot() == state
    flushed = restored.flush()
    assert flushed is not None
    assert flushed.infos == (info,)


def test_the_state_is_small(frame: Callable[..., FrameInfo]) -> None:
    window = SlidingWindow(8, 4)
    for number in range(7):
        window.push(frame(number), np.zeros(384, dtype=np.float32))
    assert len(window.snapshot()) < 7 * (384 * 4 + 300)


def test_it_keeps_no_view_of_what_it_was_given(frame: Callable[..., FrameInfo]) -> None:
    batch = np.arange(6, dtype=np.float32).reshape(2, 3)
    window = SlidingWindow(3, 3)
    window.push(frame(0), batch[0])
    batch[:] = np.nan
    flushed = window.flush()
    assert flushed is not None
    np.testing.assert_array_equal(flushed.vectors, [[0, 1, 2]])
    assert not np.shares_memory(flushed.vectors, batch)


@pytest.mark.parametrize(("frames", "stride"), [(8, 9), (8, 0), (0, 0)])
def test_strides_that_would_leave_frames_out_are_refused(frames: int, stride: int) -> None:
    with pytest.raises(ValueError, match="1 <= stride <= frames"):
        SlidingWindow(frames, stride)


def test_a_state_that_does_not_fit_is_refused(frame: Callable[..., FrameInfo]) -> None:
    window = SlidingWindow(8, 4)
    for number in range(3):
        window.push(frame(number), vector(number))
    state = window.snapshot()
    for frames, stride in ((4, 4), (8, 2)):
        with pytest.raises(ValueError, match="does not fit"):
            SlidingWindow.restored(state, frames=frames, stride=stride)
    newer = state.replace(b'"format":1', b'"format":2')
    with pytest.raises(ValueError, match="does not fit"):
        SlidingWindow.restored(newer, frames=8, stride=4)
    for damaged in (b"", b"\x80\x04.", state[:-1], state[:20], b"{}\n"):
        with pytest.raises(ValueError, match="damaged"):
            SlidingWindow.restored(damaged, frames=8, stride=4)
