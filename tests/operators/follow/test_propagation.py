"""Labels go where a naive twin sends them, whatever the tiles and threads; rules hold."""

from __future__ import annotations

import math

import pytest
import torch

from operators.backbones.thread_pool import ThreadPool
from operators.follow.follower import Follower
from operators.follow.propagation import directions, propagate
from operators.follow.rules import Rules


def drawn(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def naively(seen, known, labels, rules):
    """Patch by patch, with lists."""
    height, width = seen.shape[:2]
    told = torch.zeros(height, width, labels.shape[-1], dtype=torch.float64)
    for y in range(height):
        for x in range(width):
            near = [
                (float(seen[y, x].double() @ known[t, v, u].double()), labels[t, v, u].double())
                for t in range(len(known))
                for v in range(height)
                for u in range(width)
                if (v - y) ** 2 + (u - x) ** 2 <= rules.radius**2
            ]
            best = sorted(near, key=lambda one: -one[0])[: rules.top]
            weights = [math.exp(cosine / rules.temperature) for cosine, _ in best]
            told[y, x] = sum(w * own for w, (_, own) in zip(weights, best, strict=True)) / sum(
                weights
            )
    return told.float()


@pytest.mark.parametrize("side", [1, 4, 8, 100])
def test_it_is_what_a_naive_twin_says(side):
    rules = Rules(last=2, radius=3, top=5)
    seen, known = directions(drawn(1, 7, 11, 6)), directions(drawn(2, 3, 7, 11, 6))
    labels = drawn(3, 3, 7, 11, 3).softmax(dim=-1)
    told = propagate(seen, known, labels, rules, side=side)
    torch.testing.assert_close(told, naively(seen, known, labels, rules), atol=1e-5, rtol=0)
    torch.testing.assert_close(told.sum(dim=2), torch.ones(7, 11))


def test_a_grid_smaller_than_the_rules_is_done_all_the_same():
    seen = directions(drawn(1, 1, 2, 4))
    told = propagate(seen, seen[None], torch.ones(1, 1, 2, 2) / 2, Rules())
    torch.testing.assert_close(told, torch.ones(1, 2, 2) / 2)


def test_no_bit_depends_on_threads():
    seen, known = directions(drawn(1, 20, 31, 48)), directions(drawn(2, 4, 20, 31, 48))
    labels = drawn(3, 4, 20, 31, 2).softmax(dim=-1)
    pool = ThreadPool(3)
    try:
        with_three = propagate(seen, known, labels, Rules(), pool=pool)
        assert torch.equal(propagate(seen, known, labels, Rules()), with_three)
    finally:
        pool.close()


def moved(patches, down, across):
    return torch.roll(patches, (down, across), dims=(0, 1))


@pytest.mark.parametrize(("step", "reached"), [(2, True), (5, False)])
def test_what_moves_is_followed_as_far_as_the_circle_reaches(step, reached):
    ground = torch.ones(32) + 0.1 * drawn(1, 16, 16, 32)
    thing = drawn(2, 4, 4, 32)

    def frame(at):
        patches = ground.clone()
        patches[4:8, at : at + 4] = thing
        return patches

    seed = torch.zeros(16, 16, 2)
    seed[..., 0] = 1
    seed[4:8, 2:6] = torch.tensor([0.0, 1.0])
    follower = Follower(frame(2), seed, Rules(radius=3, top=1))
    told = follower.step(frame(2 + step)).argmax(dim=2)
    expected = torch.zeros(16, 16, dtype=torch.long)
    expected[4:8, 2 + step : 6 + step] = 1
    assert torch.equal(told, expected) == reached


def test_the_first_frame_is_remembered_and_all_but_the_last_are_not():
    rules = Rules(last=2, radius=30, top=1)
    red, blue, other = torch.eye(3)
    ground, thing = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])

    def frame(*patches):
        return torch.stack(patches)[None]

    follower = Follower(frame(red, blue), torch.stack([ground, thing])[None], rules)
    assert follower.step(frame(red, blue)).argmax(dim=2).tolist() == [[0, 1]]
    for _ in range(4):  # hidden for longer than the last frames are kept
        assert follower.step(frame(red, red)).argmax(dim=2).tolist() == [[0, 0]]
    assert follower.step(frame(blue, red)).argmax(dim=2).tolist() == [[1, 0]]
    # What is like nothing that is known takes what is known of its like since then.
    follower.step(frame(other, red))
    first = follower.step(frame(other, red))
    assert torch.equal(follower.step(frame(other, red)), first)


def test_labels_of_another_grid_are_refused():
    with pytest.raises(ValueError, match=r"want \[h, w, D\], \[T, h, w, D\] and \[T, h, w, C\]"):
        propagate(torch.zeros(2, 3, 4), torch.zeros(1, 3, 2, 4), torch.zeros(1, 3, 2, 1), Rules())


def test_rules_without_sense_are_refused():
    with pytest.raises(ValueError, match="temperature above 0"):
        Rules(temperature=0)
    with pytest.raises(ValueError, match="whole numbers from 1"):
        Rules(top=0)
