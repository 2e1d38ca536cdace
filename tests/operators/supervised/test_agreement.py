"""What class tokens pay: for being unlike their clip's other end, and for being like any other."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from operators.supervised.agreement import Agreement, AgreementPlan

PLAN = AgreementPlan(agree=1.0, spread=1.0, temperature=0.1, remembered=6)


def tokens(clips: int = 4, frames: int = 2, width: int = 16, seed: int = 0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(clips, frames, width, generator=draw, dtype=torch.float64).float()


def of_definition(places: torch.Tensor, others: torch.Tensor) -> float:
    """InfoNCE a token at a time, float64."""
    ends = F.normalize(places[:, [0, -1]].double(), dim=-1)
    terms = []
    for clip in range(len(ends)):
        for frame in (0, 1):
            own, partner = ends[clip, frame], ends[clip, 1 - frame]
            rest = [ends[c, f] for c in range(len(ends)) for f in (0, 1) if (c, f) != (clip, frame)]
            likenesses = torch.stack([own @ one for one in [*rest, *others.double()]])
            terms.append((likenesses / 0.1).logsumexp(0) - own @ partner / 0.1)
    return float(torch.stack(terms).mean())


def test_the_contrast_is_what_its_definition_says_now_and_a_step_later():
    own = Agreement(16, PLAN)
    first, second = tokens(seed=1), tokens(seed=2)

    got = [float(own.losses(one)["agree"]) for one in (first, second)]
    ends = F.normalize(first, dim=-1)
    memory = torch.cat((ends[:, 0], ends[:, 1]))[:6]
    assert got[0] == pytest.approx(of_definition(first, torch.zeros(6, 16)), rel=1e-5)
    assert got[1] == pytest.approx(of_definition(second, memory), rel=1e-5)
    torch.testing.assert_close(own.others[0], F.normalize(second[0, 0], dim=-1))


def test_equal_tokens_know_nothing_and_agreeing_ones_nearly_all():
    alike = torch.ones(4, 2, 16)
    apart = torch.eye(16)[:4, None].expand(4, 2, 16)

    assert float(Agreement(16, PLAN).losses(apart)["agree"]) < 0.01
    own = Agreement(16, PLAN)
    own.losses(alike)
    assert float(own.losses(alike)["agree"]) == pytest.approx(math.log(2 * 4 - 1 + 6), rel=1e-5)


def test_only_the_ends_of_a_clip_count():
    middle = tokens(frames=3)
    ends = middle[:, [0, 2]]
    got, want = (Agreement(16, PLAN).losses(one) for one in (middle, ends))

    assert all(torch.equal(got[name], want[name]) for name in want)


def test_frames_of_one_clip_may_be_equal_and_clips_may_not():
    apart = torch.eye(16)[:4, None].expand(4, 2, 16)
    spread = [float(Agreement(16, PLAN).losses(one)["spread"]) for one in (apart, apart + 5)]

    assert spread[0] == pytest.approx(-math.log(2), abs=1e-5)  # twice the log of a root of 2
    assert spread[1] > spread[0] + 1


def test_what_is_remembered_learns_nothing():
    own = Agreement(16, PLAN)
    first, second = tokens(seed=1).requires_grad_(), tokens(seed=2).requires_grad_()
    own.losses(first)
    own.losses(second)["agree"].backward()

    assert first.grad is None
    assert second.grad is not None


def test_half_precision_around_it_changes_nothing():
    plain = Agreement(16, PLAN).losses(tokens())
    with torch.autocast("cpu", torch.bfloat16):
        under = Agreement(16, PLAN).losses(tokens())

    assert all(torch.equal(plain[name], under[name]) for name in plain)


def test_one_clip_alone_costs_what_its_memory_makes_of_it():
    parts = Agreement(16, PLAN).losses(tokens(clips=1))

    assert all(torch.isfinite(part) for part in parts.values())
    assert float(parts["spread"]) == 0.0
