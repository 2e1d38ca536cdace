"""The head against its formula, under upstream's names, and where it starts."""

import pytest
import torch

from operators.pretrain.head import ProjectionHead


def head(seed=5, **other):
    draw = torch.Generator().manual_seed(seed)
    return ProjectionHead(6, 7, **({"hidden": 16, "bottleneck": 4} | other), draw=draw)


def test_parameters_carry_upstreams_names_and_shapes():
    assert {name: tuple(one.shape) for name, one in head().named_parameters()} == {
        "mlp.0.weight": (16, 6),
        "mlp.0.bias": (16,),
        "mlp.2.weight": (16, 16),
        "mlp.2.bias": (16,),
        "mlp.4.weight": (4, 16),
        "mlp.4.bias": (4,),
        "last_layer.weight_g": (7, 1),
        "last_layer.weight_v": (7, 4),
    }
    assert head().state_dict().keys() == dict(head().named_parameters()).keys()
    assert ProjectionHead(6, 7).last_layer.weight_v.shape == (7, 256)


def test_scores_are_gains_times_cosines(normal):
    own = head().double()
    with torch.no_grad():
        for parameter in own.parameters():
            parameter.copy_(normal(*parameter.shape))
    tokens = normal(2, 3, 6)
    weights = own.state_dict()

    vectors = tokens
    for layer in (0, 2, 4):
        vectors = vectors @ weights[f"mlp.{layer}.weight"].T + weights[f"mlp.{layer}.bias"]
        if layer < 4:
            vectors = vectors * 0.5 * (1 + torch.erf(vectors / 2**0.5))
    directions = weights["last_layer.weight_v"]
    cosines = (vectors @ directions.T) / (
        vectors.norm(dim=-1, keepdim=True) * directions.norm(dim=1)
    )
    torch.testing.assert_close(own(tokens), cosines * weights["last_layer.weight_g"][:, 0])


def test_at_the_start_scores_are_cosines_and_gains_learn():
    own = head(hidden=256)
    scores = own(torch.randn(50, 6, generator=torch.Generator().manual_seed(1)))
    scores.square().sum().backward()

    assert scores.abs().max() <= 1 + 1e-6
    assert (own.last_layer.weight_g == 1).all()
    assert own.last_layer.weight_g.grad.abs().min() > 0
    assert own.mlp[2].weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert not any(own.mlp[layer].bias.any() for layer in (0, 2, 4))


def test_the_generator_decides_where_it_starts():
    first, again, other = (list(head(seed).parameters()) for seed in (1, 1, 2))

    assert all(torch.equal(one, same) for one, same in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])
    assert not torch.equal(first[-1], other[-1])


def test_a_token_of_nothing_is_a_number_in_half_precision():
    own = head().half()

    assert own(torch.zeros(1, 6, dtype=torch.float16)).isfinite().all()
