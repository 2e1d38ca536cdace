"""What a student's outputs mean: every cell lies where its pixels are."""

from __future__ import annotations

from dataclasses import replace

import torch

from operators.backbones.architectures import architecture
from operators.supervised.student import Student

ARCH = replace(architecture("dinov2_vitti14"), depth=1)


def student() -> Student:
    torch.manual_seed(0)
    return Student(ARCH, classes=5, actions=3, frames=2)


def test_shapes():
    guess = student()(torch.zeros(2, 2, 28, 42, 3, dtype=torch.uint8))

    assert guess.log_depth.shape == (4, 8, 12)
    assert guess.classes.shape == (4, 5, 8, 12)
    assert guess.shares.shape == (4, 5, 4, 4)
    assert guess.distance.shape == (4, 4, 4)
    assert guess.actions.shape == (2, 3)


def test_a_cell_is_where_its_patch_is():
    own = student()
    with torch.no_grad():
        own.depth.weight.zero_()
        own.depth.bias.copy_(torch.arange(16.0))
        own.classes.weight.zero_()
        own.classes.bias.copy_(torch.arange(5 * 16.0))

    guess = own(torch.zeros(1, 2, 28, 42, 3, dtype=torch.uint8))

    tile = torch.arange(16.0).view(4, 4)
    assert torch.equal(guess.log_depth[0], tile.repeat(2, 3))
    assert torch.equal(guess.classes[1, 3], (tile + 48).repeat(2, 3))


def test_every_part_learns():
    own = student()
    guess = own(torch.randint(0, 256, (1, 2, 28, 28, 3), dtype=torch.uint8))
    sum(
        part.sum()
        for part in (guess.log_depth, guess.classes, guess.shares, guess.distance, guess.actions)
    ).backward()

    still = [name for name, own in own.named_parameters() if own.grad is None]
    assert still == ["backbone.mask_token"]
