"""Principal components as a picture: steady colours, the foreground, resumption, determinism."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from operators.backbones.architectures import Architecture
from operators.errors import DinostreamError, UsageError
from operators.frames import Features, FrameInfo
from operators.pca.operator import MAP_SCALE, Pca, build_pca
from operators.result import PNG, Result
from operators.weights.head_request import HeadRequest

GRID = (10, 14)
WIDTH = 48
SIDE = 5  # of the thing that moves, patches


def thing_at(number: int) -> tuple[int, int]:
    """Top and left of the thing in the n-th frame: it goes to and fro."""
    return 2 + number % 3, 1 + abs(number % 14 - 7)


def patches_of(number: int) -> NDArray[np.float32]:
    """A thing of three parts before a background with a slope, and noise: `[h, w, D]`.

    The parts vary about equally and a little differently in every frame, so that components change
    places, signs and angles where each frame is looked at by itself.
    """
    fixed = np.random.default_rng(7)
    slope, thing, *parts = fixed.standard_normal((6, WIDTH)) / 4
    draw = np.random.default_rng([8, number])
    patches = draw.standard_normal((*GRID, WIDTH)) * 0.15
    across = np.linspace(-1, 1, GRID[1])[None, :, None]
    patches += across * slope
    top, left = thing_at(number)
    own = patches[top : top + SIDE, left : left + SIDE]
    own += 4 * thing
    wave = np.linspace(0, np.pi, SIDE)
    for index, part in enumerate(parts):
        strength = 1.2 + 0.1 * np.sin(number * (0.9 + index))
        pattern = np.cos((index + 1) * wave)[:, None] * np.sin((index + 1) * wave + 0.5)[None]
        pattern /= pattern.std()
        own += strength * pattern[:, :, None] * part
    return patches.astype(np.float32)


@pytest.fixture
def features(frame: Callable[..., FrameInfo]) -> Callable[..., Features]:
    """`features([3, 4])`: frames of the clip; `stream` and what pads the batch may be chosen."""

    def made(numbers: Sequence[int], *, stream: str = "cam", batch_size: int = 8) -> Features:
        patches = torch.full((batch_size, *GRID, WIDTH), torch.nan)
        for row, number in enumerate(numbers):
            patches[row] = torch.from_numpy(patches_of(number))
        infos = tuple(frame(number, stream=stream) for number in numbers)
        return Features(infos, torch.zeros(batch_size, WIDTH), patches)

    return made


@pytest.fixture
def run(features: Callable[..., Features]) -> Callable[..., list[Result]]:
    def ran(pca: Pca, numbers: Sequence[int], batch: int = 8) -> list[Result]:
        groups = [numbers[at : at + batch] for at in range(0, len(numbers), batch)]
        return [result for group in groups for result in pca(features(group))]

    return ran


def pixels(result: Result) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(result.data)) as image:
        assert image.mode == "RGB"
        return np.asarray(image)


def changes(results: Sequence[Result]) -> float:
    """Mean change of a channel between neighbouring frames, where both show the thing."""
    found = []
    for number in range(len(results) - 1):
        (top, left), (top2, left2) = thing_at(number), thing_at(number + 1)
        for row in range(SIDE):  # compared part by part: the thing itself moves
            one, two = (
                pixels(result)[(y + row) * MAP_SCALE + 2, x * MAP_SCALE : (x + SIDE) * MAP_SCALE]
                for result, y, x in (
                    (results[number], top, left),
                    (results[number + 1], top2, left2),
                )
            )
            found.append(np.abs(one.astype(float) - two).mean())
    return float(np.mean(found))


@pytest.mark.slow
def test_the_picture_does_not_flicker(run: Callable[..., list[Result]]) -> None:
    numbers = range(40)
    steady = run(Pca(), numbers)
    each = [run(Pca(), [number])[0] for number in numbers]
    assert changes(steady) < changes(each) / 3


def test_the_thing_is_coloured_and_the_background_black(run: Callable[..., list[Result]]) -> None:
    for number, result in enumerate(run(Pca(), range(12))):
        picture = pixels(result)
        assert picture.shape == (GRID[0] * MAP_SCALE, GRID[1] * MAP_SCALE, 3)
        assert (result.content_type, result.operator, result.attributes) == (PNG, "pca", {})
        top, left = (MAP_SCALE * place for place in thing_at(number))
        inside = np.zeros(picture.shape[:2], bool)
        size = SIDE * MAP_SCALE
        inside[top : top + size, left : left + size] = True
        coloured = picture.max(axis=2) > 40
        assert (coloured & inside).sum() > 0.85 * inside.sum()
        assert (coloured & ~inside).sum() < 0.1 * (~inside).sum()


def test_a_coloured_background_shows_all(run: Callable[..., list[Result]]) -> None:
    (result,) = run(Pca(background="coloured", map_scale=2), [0])
    picture = pixels(result)
    assert picture.shape[:2] == (GRID[0] * 2, GRID[1] * 2)
    assert (picture.max(axis=2) > 20).mean() > 0.9


@pytest.mark.slow
def test_resumed_at_every_frame_as_if_never_interrupted(run: Callable[..., list[Result]]) -> None:
    numbers = range(14)
    want = run(Pca(), numbers, 4)
    for stop in range(len(numbers) + 1):
        before, after = Pca(), Pca()
        got = run(before, numbers[:stop], 4)
        after.restore("cam", before.snapshot("cam"))
        assert got + run(after, numbers[stop:], 3) == want


def test_batches_batch_mates_and_threads_change_nothing(
    features: Callable[..., Features], run: Callable[..., list[Result]]
) -> None:
    want = run(Pca(), range(9))
    assert run(Pca(), range(9), 1) == want
    together = Pca()
    mixed = []
    for number in range(9):
        own, other = features([number]), features([number + 20], stream="door")
        both = torch.cat([other.patches[:1], own.patches[:1], own.patches[2:]])
        mixed += together(Features((*other.infos, *own.infos), own.cls, both))
    assert [result for result in mixed if result.info.stream == "cam"] == want
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(4)
        assert run(Pca(), range(9)) == want
    finally:
        torch.set_num_threads(threads)


def test_streams_are_forgotten_and_what_is_kept_is_small(
    run: Callable[..., list[Result]],
) -> None:
    pca = Pca()
    empty = pca.snapshot("cam")
    first = run(pca, [0, 1, 2])
    state = pca.snapshot("cam")
    assert len(state) == len(b'{"format":1,"width":48}\n') + 4 * (6 * WIDTH + 4)
    assert pca.snapshot("door") == empty
    assert pca.reset("cam", "gap") == []
    assert pca.snapshot("cam") == empty
    pca.restore("cam", empty)
    assert run(pca, [0, 1, 2]) == first


@pytest.mark.parametrize(
    "state", [b"", b"nonsense", b'{"format":2,"width":0}\n', b'{"format":1,"width":48}\n1234']
)
def test_damaged_states_are_refused(state: bytes) -> None:
    with pytest.raises(ValueError, match="the state of pca"):
        Pca().restore("cam", state)


def test_nan_leaves_the_memory_whole(features: Callable[..., Features]) -> None:
    pca = Pca()
    pca(features([0]))
    state = pca.snapshot("cam")
    bad = features([1, 2])
    bad.patches[1, 3, 3, 0] = torch.nan
    with pytest.raises(DinostreamError, match="pca: frame 36000"):
        pca(bad)
    assert pca.snapshot("cam") == state


def test_a_picture_of_one_colour_has_components_too(frame: Callable[..., FrameInfo]) -> None:
    flat = Features((frame(0),), torch.zeros(1, WIDTH), torch.ones(1, *GRID, WIDTH))
    (result,) = Pca()(flat)
    assert pixels(result).shape == (40, 56, 3)


def test_settings(tiny: Architecture) -> None:
    request = HeadRequest("pca", tiny, "a" * 64)
    built = build_pca({"map_scale": 2, "memory": 50, "background": "coloured"}, request)
    assert built.settings() == {"map_scale": 2, "memory": 50, "background": "coloured"}
    for settings, why in (
        ({"memry": 3}, "no setting 'memry'; did you mean memory"),
        ({"memory": 0}, "memory must be a whole number from 1"),
        ({"background": "white"}, "one of black, coloured"),
    ):
        with pytest.raises(UsageError, match=why):
            build_pca(settings, request)
