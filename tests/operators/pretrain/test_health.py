"""Numbers of health against their formulas; alarms fire on what has collapsed and nothing else."""

import json
import math
from dataclasses import asdict

import pytest
import torch

from operators.pretrain.health import Health
from operators.pretrain.sinkhorn import sinkhorn_knopp


@pytest.fixture
def healthy_tokens(normal):
    return normal(48, 32)


@pytest.fixture
def healthy_targets(normal):
    return sinkhorn_knopp(0.3 * normal(96, 256), 0.07)


def alarms(tokens, targets):
    return Health.of(tokens, targets).alarms()


def test_of_even_numbers_they_are_known():
    """Tokens along every axis, and as many targets, each of one prototype of its own."""
    health = Health.of(torch.cat((torch.eye(8), -torch.eye(8))), torch.eye(16))

    assert (health.pictures, health.width, health.samples, health.prototypes) == (16, 8, 16, 16)
    assert health.mean_entropy == pytest.approx(math.log(16))
    assert health.target_entropy == 0
    assert health.deviation == pytest.approx(8**-0.5)
    assert health.effective_rank == pytest.approx(8)
    assert health.used_prototypes == 1


def test_they_are_their_formulas(healthy_tokens, healthy_targets):
    health = Health.of(healthy_tokens, healthy_targets)
    units = healthy_tokens / healthy_tokens.norm(dim=1, keepdim=True)
    off = units - units.mean(dim=0)
    values = torch.linalg.eigvalsh(off.T @ off).clamp_min(0).sqrt()
    shares = values / values.sum()
    mean = healthy_targets.mean(dim=0)

    assert health.deviation == pytest.approx(off.square().mean(dim=0).sqrt().mean().item())
    assert health.effective_rank == pytest.approx((-shares * shares.log()).sum().exp().item())
    assert health.mean_entropy == pytest.approx((-mean * mean.log()).sum().item())
    each = (-healthy_targets * healthy_targets.log()).sum(dim=1)
    assert health.target_entropy == pytest.approx(each.mean().item())
    highest = {row.argmax().item() for row in healthy_targets}
    assert health.used_prototypes == len(highest) / 256
    assert json.loads(json.dumps(asdict(health))) == asdict(health)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_nothing_is_said_of_a_healthy_batch(healthy_tokens, healthy_targets, dtype):
    assert alarms(healthy_tokens.to(dtype), healthy_targets.float()) == []


def test_narrow_features_of_little_varied_pictures_are_healthy(normal, healthy_targets):
    """A common direction as strong as all that varies, and 8 directions for 48 pictures."""
    tokens = 1.0 + normal(48, 8) @ normal(8, 32) / 8**0.5

    assert alarms(tokens, healthy_targets) == []


def test_pictures_that_look_alike(normal, healthy_targets):
    told = alarms(1 + 0.01 * normal(48, 32), healthy_targets)

    assert len(told) == 1
    assert "pictures look alike to the student" in told[0]


def test_tokens_along_one_line(normal, healthy_targets):
    told = alarms(normal(48, 1) * normal(1, 32) + 0.001 * normal(48, 32), healthy_targets)

    assert len(told) == 1
    assert "effective rank" in told[0]


def test_all_mass_on_one_prototype(normal, healthy_tokens):
    scores = 0.1 * normal(96, 256)
    scores[:, 3] += 2
    told = " ".join(alarms(healthy_tokens, sinkhorn_knopp(scores, 0.07, iterations=0)))

    assert "few prototypes have all the mass" in told
    assert "targets of all samples are alike" in told
    assert "0.4% of the prototypes are the highest" in told


def test_targets_that_tell_nothing(normal, healthy_tokens):
    """The entropy of their mean is as high as it should be."""
    told = alarms(healthy_tokens, (0.01 * normal(96, 256)).softmax(dim=1))

    assert len(told) == 1
    assert "targets of all samples are alike" in told[0]


def test_what_is_no_number_alarms(healthy_tokens, healthy_targets):
    told = alarms(healthy_tokens * math.nan, healthy_targets)
    assert len(told) == 2
    assert all("nan" in one for one in told)

    told = alarms(healthy_tokens, healthy_targets * math.nan)
    assert len(told) == 3


def test_two_pictures_of_their_own_are_healthy():
    targets = torch.tensor([[0.9, 0.1], [0.1, 0.9]])

    assert alarms(torch.eye(2), targets) == []
    assert alarms(torch.eye(2), targets[:1]) == []


def test_too_little_to_look_at_is_refused():
    with pytest.raises(ValueError, match="want 2 class tokens or more, got 1"):
        Health.of(torch.ones(1, 4), torch.ones(1, 4))
    with pytest.raises(ValueError, match="want 1 target or more, got 0"):
        Health.of(torch.ones(2, 4), torch.ones(0, 4))
