"""KoLeo against its formula in loops, its gradient, and where it is low and high."""

import math

import pytest
import torch

from operators.pretrain.koleo import koleo


def in_a_loop(tokens):
    units = [token / token.norm() for token in tokens]
    nearest = [
        min((unit - other).norm().item() for j, other in enumerate(units) if j != i)
        for i, unit in enumerate(units)
    ]
    return -sum(math.log(distance) for distance in nearest) / len(units)


def on_a_circle(degrees):
    angles = torch.tensor(degrees, dtype=torch.float64).deg2rad()
    return torch.stack((angles.cos(), angles.sin()), dim=1)


@pytest.mark.parametrize("count", [2, 3, 20])
def test_it_is_its_formula(normal, count):
    tokens = normal(count, 6)

    assert koleo(tokens).item() == pytest.approx(in_a_loop(tokens), rel=1e-6)


def test_its_gradient(normal):
    assert torch.autograd.gradcheck(koleo, (normal(7, 4).requires_grad_(),), atol=1e-5)


def test_turning_and_stretching_change_nothing(normal):
    tokens, (turn, _) = normal(9, 5), torch.linalg.qr(normal(5, 5))

    torch.testing.assert_close(koleo(tokens @ turn), koleo(tokens))
    torch.testing.assert_close(koleo(tokens * normal(9, 1).abs()), koleo(tokens))


def test_even_spread_is_lowest():
    even = koleo(on_a_circle([0.0, 120.0, 240.0])).item()

    assert even == pytest.approx(-math.log(math.sqrt(3)))
    for degrees in ([0.0, 110.0, 240.0], [0.0, 120.0, 200.0], [0.0, 10.0, 180.0]):
        assert koleo(on_a_circle(degrees)).item() > even


def test_of_two_opposite_tokens_each_is_the_others_nearest():
    assert koleo(on_a_circle([0.0, 180.0])).item() == pytest.approx(-math.log(2))


def test_equal_tokens_are_far_from_good_and_still_a_number():
    tokens = torch.ones(4, 64, requires_grad=True)
    loss = koleo(tokens)
    loss.backward()

    assert loss.item() == pytest.approx(-math.log(1e-8 * 8 + 1e-8), rel=1e-3)
    assert tokens.grad.isfinite().all()


@pytest.mark.parametrize("count", [0, 1])
def test_one_token_has_no_neighbour(count):
    tokens = torch.ones(count, 3, requires_grad=True)
    loss = koleo(tokens)
    loss.backward()

    assert loss.item() == 0
    assert not tokens.grad.any()


def test_it_is_float32_under_autocast(normal):
    """As bfloat16, tokens that are so near to each other would be one."""
    tokens = (1 + 1e-3 * normal(8, 16)).float()
    with torch.autocast("cpu", torch.bfloat16):
        loss = koleo(tokens)

    assert loss.dtype == torch.float32
    assert torch.equal(loss, koleo(tokens))
    assert koleo(tokens.bfloat16()).dtype == torch.float32
