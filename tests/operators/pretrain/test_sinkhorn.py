"""Sinkhorn-Knopp against its formula as written, and what it does not change with."""

import math

import pytest
import torch

from operators.pretrain.sinkhorn import sinkhorn_knopp

TEMPERATURE = 0.07


def as_written(scores, temperature, iterations=3, *, by_total=True):
    """The textbook's form: a matrix K x n, scaled row by row and column by column."""
    mass = (scores / temperature).exp().T
    prototypes, samples = mass.shape
    if by_total:
        mass = mass / mass.sum()
    for _ in range(iterations):
        mass = mass / mass.sum(dim=1, keepdim=True) / prototypes
        mass = mass / mass.sum(dim=0, keepdim=True) / samples
    return (mass * samples).T


@pytest.fixture
def scores(normal):
    return 0.3 * normal(64, 16)


@pytest.mark.parametrize("by_total", [True, False])
@pytest.mark.parametrize("iterations", [1, 3, 10])
def test_it_is_the_formula_and_the_division_by_the_total_cancels(scores, iterations, by_total):
    got = sinkhorn_knopp(scores, TEMPERATURE, iterations=iterations)

    want = as_written(scores, TEMPERATURE, iterations, by_total=by_total)
    torch.testing.assert_close(got, want, rtol=1e-12, atol=1e-14)


def test_samples_have_mass_1_and_prototypes_about_the_same(scores):
    targets = sinkhorn_knopp(scores, TEMPERATURE)
    of_prototypes = targets.sum(dim=0) * 16 / 64

    torch.testing.assert_close(targets.sum(dim=1), torch.ones(64).double())
    assert of_prototypes.min() > 0.4
    assert of_prototypes.max() < 1.7
    even = sinkhorn_knopp(scores, TEMPERATURE, iterations=200).sum(dim=0)
    torch.testing.assert_close(even, torch.full((16,), 4.0).double())


def test_a_constant_per_prototype_changes_nothing(scores, normal):
    targets = sinkhorn_knopp(scores, TEMPERATURE)

    moved = sinkhorn_knopp(scores + normal(1, 16), TEMPERATURE)
    torch.testing.assert_close(moved, targets, rtol=1e-10, atol=1e-12)
    moved = sinkhorn_knopp(scores + normal(64, 1), TEMPERATURE)
    assert (moved - targets).abs().max() > 0.01


def test_samples_in_another_order_have_their_targets_in_it(scores):
    order = torch.randperm(64, generator=torch.Generator().manual_seed(2))

    torch.testing.assert_close(
        sinkhorn_knopp(scores[order], TEMPERATURE), sinkhorn_knopp(scores, TEMPERATURE)[order]
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_what_would_overflow_is_computed_in_float32(scores, dtype):
    high = (scores + 40).to(dtype)  # exp(40 / 0.04) fits into nothing
    targets = sinkhorn_knopp(high, 0.04)

    assert targets.dtype == torch.float32
    near = sinkhorn_knopp((high.double() - 40), 0.04)
    torch.testing.assert_close(targets.double(), near, rtol=2e-3, atol=1e-5)


def test_without_iterations_it_is_a_softmax(scores):
    targets = sinkhorn_knopp(scores, TEMPERATURE, iterations=0)

    torch.testing.assert_close(targets, (scores / TEMPERATURE).softmax(dim=1))


def test_no_samples_have_no_targets_and_one_has_even_ones():
    assert sinkhorn_knopp(torch.zeros(0, 5), 0.07).shape == (0, 5)
    torch.testing.assert_close(
        sinkhorn_knopp(torch.tensor([[3.0, -1.0]]), 0.07), torch.tensor([[0.5, 0.5]])
    )


def test_targets_have_no_gradient(scores):
    assert not sinkhorn_knopp(scores.requires_grad_(), TEMPERATURE).requires_grad


def test_what_is_no_number_stays_seen():
    scores = torch.zeros(3, 4)
    scores[1, 2] = math.nan

    assert sinkhorn_knopp(scores, 0.07).isnan().any()


@pytest.mark.parametrize("sizes", [[40, 24], [64, 0], [20, 3, 41]])
def test_samples_of_all_ranks_are_one_batch(scores, in_group, sizes):
    parts = in_group(
        lambda part, group: sinkhorn_knopp(part, TEMPERATURE, group=group), scores.split(sizes)
    )

    assert [len(part) for part in parts] == sizes
    torch.testing.assert_close(torch.cat(parts), sinkhorn_knopp(scores, TEMPERATURE))


def test_no_rank_has_samples(in_group):
    parts = in_group(
        lambda part, group: sinkhorn_knopp(part, TEMPERATURE, group=group), [torch.zeros(0, 5)] * 2
    )

    assert [part.shape for part in parts] == [(0, 5), (0, 5)]
