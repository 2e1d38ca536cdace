import numpy as np
import pytest
import torch
from torch.nn import functional as F

from operators.backbones.architectures import Architecture
from operators.backbones.random_weights import random_tensors
from operators.pretrain.packed import PackedTransformer
from pipeline.pretrain.judging import (
    class_tokens,
    right_by_crops,
    right_by_neighbours,
    tiny_pixels,
    verdict,
)


def test_a_picture_is_right_if_its_own_crop_is_the_nearest():
    first = torch.eye(4)
    second = torch.eye(4)[[0, 1, 3, 2]]
    assert right_by_crops(first, second).tolist() == [True, True, False, False]


def test_neighbours_vote_and_none_votes_for_itself():
    angles = torch.tensor([0.0, 0.1, 0.2, 3.0, 3.1, 0.15])
    vectors = torch.stack([angles.cos(), angles.sin()], dim=1)
    classes = np.array([0, 0, 0, 1, 1, 1])
    assert right_by_neighbours(vectors, classes).tolist() == [True, True, True, True, True, False]


def test_a_gain_is_sure_only_where_most_groups_have_it():
    groups = [f"film {number // 5}" for number in range(100)]
    none = np.zeros(100, dtype=bool)
    everywhere = np.arange(100) % 2 == 0
    one_film = np.arange(100) < 5
    sure = verdict("crops", none, none, everywhere, groups)
    assert sure.better
    assert (sure.pictures, sure.before, sure.after) == (100, 0.0, 0.5)
    assert sure.gain.value == pytest.approx(0.5)
    assert not verdict("crops", none, none, one_film, groups).better
    assert not verdict("crops", none, everywhere, everywhere, groups).better
    assert sure.plain()["can_tell"] is True


def test_few_pictures_tell_nothing_and_few_groups_are_not_drawn_from():
    few = np.ones(20, dtype=bool)
    told = verdict("crops", few, ~few, few, [str(number) for number in range(20)])
    assert not told.can_tell
    assert not told.better
    # Of two groups, one of which is twice the other: no interval of the two is one.
    none = np.zeros(90, dtype=bool)
    gained = np.arange(90) < 3
    two = verdict(
        "crops", none, none, gained, ["a" if number < 60 else "b" for number in range(90)]
    )
    alone = verdict("crops", none, none, gained, [str(number) for number in range(90)])
    assert two.gain == alone.gain


def test_chance_is_seldom_a_gain():
    """With no true difference an interval of 95 % lies above 0 in 2.5 of 100 cases, about."""
    draw = np.random.Generator(np.random.PCG64(0))
    streams = [f"film {number // 25}" for number in range(75)]
    better = 0
    for _ in range(200):
        before, after = (draw.random(75) < 0.5 for _ in range(2))
        better += verdict("crops", before, before, after, streams).better
    assert better <= 12


def test_vectors_have_length_one_and_batches_do_not_matter():
    arch = Architecture("small", width=32, depth=2, heads=1, grid=4)
    backbone = PackedTransformer(arch)
    backbone.load_state_dict(random_tensors(arch, 0))
    draw = torch.Generator().manual_seed(0)
    pictures = torch.randint(256, (20, 3, 28, 42), generator=draw, dtype=torch.uint8)
    tokens = class_tokens(backbone, pictures)
    assert tokens.shape == (20, 32)
    torch.testing.assert_close(tokens.norm(dim=1), torch.ones(20))
    torch.testing.assert_close(tokens[17:18], class_tokens(backbone, pictures[17:18]))
    assert not tokens.requires_grad


def test_pixels_do_not_see_light():
    pictures = torch.randint(100, (3, 3, 32, 48), dtype=torch.uint8)
    brighter = pictures + 50
    same = F.cosine_similarity(tiny_pixels(pictures), tiny_pixels(brighter))
    torch.testing.assert_close(same, torch.ones(3), atol=1e-4, rtol=0)
    assert tiny_pixels(pictures).shape == (3, 192)
