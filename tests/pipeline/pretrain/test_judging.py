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
    assert (sure.before, sure.after) == (0.0, 0.5)
    assert sure.gain.value == pytest.approx(0.5)
    assert not verdict("crops", none, none, one_film, groups).better
    assert not verdict("crops", none, everywhere, everywhere, groups).better
    assert not verdict("crops", none, none, everywhere, ["one film"] * 100).better
    assert sure.plain()["what"] == "crops"


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
