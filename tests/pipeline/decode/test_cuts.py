"""What is a cut, what only looks like one, and that any process says the same."""

import json

import numpy as np
import pytest

from pipeline.decode.cuts import AROUND, Cuts
from pipeline.media.miniature import COLUMNS, ROWS

NOISE = 2  # levels


def room(seed, *, left=0, block=3):
    """A wide room of blocks, of which `left` cells are out of sight; float `[3, 27, 48]`."""
    draw = np.random.default_rng(seed)
    blocks = draw.integers(40, 200, (3, ROWS // block, 192 // block))
    wide = np.kron(blocks, np.ones((1, block, block)))
    return wide[:, :, left : left + COLUMNS]


def shown(*pictures, seed=0):
    """As a sensor sees them."""
    draw = np.random.default_rng(seed)
    noisy = [one + draw.normal(0, NOISE, one.shape) for one in pictures]
    return [one.clip(0, 255).astype(np.uint8) for one in noisy]


def verdicts(cells, cuts=None):
    """Of every frame."""
    cuts = cuts or Cuts(2.5)
    found = [verdict for one in cells if (verdict := cuts.see(one)) is not None]
    return found + cuts.rest()


def cut_at(cells):
    return [number for number, verdict in enumerate(verdicts(cells)) if verdict]


def test_a_cut_is_the_first_frame_of_what_is_new():
    assert cut_at(shown(*[room(1)] * 12, *[room(2)] * 12)) == [12]


def test_every_frame_is_decided_on_once_and_late_by_those_around_it():
    cells, cuts = shown(*[room(1)] * 9), Cuts(2.5)
    assert [cuts.see(one) for one in cells] == [None] * AROUND + [""] * (9 - AROUND)
    assert cuts.rest() == [""] * AROUND
    assert cuts.rest() == []


@pytest.mark.parametrize("frames", range(1, AROUND + 1))
def test_a_flash_is_no_cut(frames):
    lit = room(1) * 0.4 + 150
    assert cut_at(shown(*[room(1)] * 12, *[lit] * frames, *[room(1)] * 12)) == []


def test_light_that_is_switched_is_no_cut():
    assert cut_at(shown(*[room(1) * 0.6] * 12, *[room(1) * 1.2] * 12)) == []


def test_a_pan_is_no_cut_and_one_into_a_pan_is():
    pan = [room(1, left=5 * step) for step in range(20)]
    still = [room(1)] * 12
    assert cut_at(shown(*still, *pan, *[pan[-1]] * 12)) == []
    slow = [room(2, left=step) for step in range(20)]
    assert cut_at(shown(*still, *slow)) == [12]


def test_a_camera_that_shakes_is_no_cut():
    draw = np.random.default_rng(5)
    shaken = [room(1, left=int(left), block=9) for left in draw.integers(0, 4, 40)]
    assert cut_at(shown(*shaken)) == []


def test_black_that_came_slowly_is_a_fade_and_black_at_once_a_cut():
    black = np.full((3, ROWS, COLUMNS), 128.0)
    black[0] = 16
    out = [black + light * (room(1) - black) for light in np.linspace(1, 0, 20)]
    into = [black + light * (room(2) - black) for light in np.linspace(0, 1, 20)]
    slow = verdicts(shown(*[room(1)] * 9, *out, *into, *[room(2)] * 9))
    assert [one for one in slow if one] == ["fade"]
    at_once = verdicts(shown(*[room(1)] * 9, *[black] * 9, *[room(2)] * 9))
    assert [one for one in at_once if one] == ["cut", "cut"]
    assert at_once.index("cut") == 9


def test_another_process_says_the_same():
    cells = shown(*[room(1)] * 9, *[room(2) * 0.01] * 5, *[room(3)] * 2, *[room(4)] * 11)
    whole = verdicts(cells)
    for place in range(len(cells)):
        first, second = Cuts(2.5), Cuts(2.5)
        said = [verdict for one in cells[:place] if (verdict := first.see(one)) is not None]
        second.restore(json.loads(json.dumps(first.snapshot())))
        assert said + verdicts(cells[place:], second) == whole


def test_the_last_frames_of_a_row_are_cut_off_by_none():
    for more in range(1, 6):
        found = cut_at(shown(*[room(1)] * 9, *[room(2)] * more))
        assert found == ([9] if more > AROUND else [])


def test_a_row_knows_nothing_of_the_one_before():
    cuts = Cuts(2.5)
    one, other = shown(*[room(1)] * 9), shown(*[room(2)] * 9)
    assert not any(verdicts(one, cuts))
    assert not any(verdicts(other, cuts))


def test_a_higher_threshold_finds_no_more():
    draw = np.random.default_rng(7)
    moving = [room(shot, left=int(left)) for shot in range(6) for left in draw.integers(0, 9, 12)]
    cells = shown(*moving)
    counts = [sum(map(bool, verdicts(cells, Cuts(level)))) for level in (1.2, 2.0, 4.0, 16.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]
