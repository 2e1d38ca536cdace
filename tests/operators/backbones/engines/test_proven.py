"""Frames go together where that has been shown to change no bit, and apart where it does."""

from __future__ import annotations

import torch
from torch import Tensor

from operators.backbones.engines.engine import Tokens
from operators.backbones.engines.proven import ProvenBatches

FRAMES = torch.arange(4, dtype=torch.uint8).view(4, 1, 1, 1).expand(4, 14, 28, 3)


class Doubling:
    """Twice a frame's bytes, and a bit more beside so many mates."""

    def __init__(self, more_beside: int = 99) -> None:
        self.more_beside = more_beside
        self.calls: list[int] = []

    def __call__(self, pixels: Tensor) -> Tokens:
        self.calls.append(len(pixels))
        kept = {3: pixels[:, 0].float()}
        more = 1e-3 if len(pixels) == self.more_beside else 0.0
        return pixels[:, 0].float() * 2 + more, kept


def as_alone(tokens: Tokens, count: int) -> bool:
    want, kept = Doubling()(FRAMES[:count])
    return torch.equal(tokens[0], want) and torch.equal(tokens[1][3], kept[3])


def test_frames_go_together_once_proved():
    compute = Doubling()
    proven = ProvenBatches(compute)

    assert all(as_alone(proven(FRAMES), 4) for _ in range(3))
    assert compute.calls == [1, 1, 1, 1, 4, 4, 4]


def test_frames_whose_bits_change_together_stay_apart():
    compute = Doubling(more_beside=4)
    proven = ProvenBatches(compute)

    assert all(as_alone(proven(FRAMES), 4) for _ in range(3))
    assert compute.calls == [1, 1, 1, 1, 4] + 2 * [1, 1, 1, 1]


def test_every_number_of_frames_and_every_size_is_proved_for_itself():
    compute = Doubling(more_beside=3)
    proven = ProvenBatches(compute)
    for _ in range(2):
        assert as_alone(proven(FRAMES), 4)
        assert as_alone(proven(FRAMES[:3]), 3)
    assert compute.calls == [1, 1, 1, 1, 4, 1, 1, 1, 3, 4, 1, 1, 1]

    proven(FRAMES[:, :, :14])
    assert compute.calls[-5:] == [1, 1, 1, 1, 4]


def test_a_lone_frame_is_computed_once():
    compute = Doubling()

    assert as_alone(ProvenBatches(compute)(FRAMES[:1]), 1)
    assert compute.calls == [1]
