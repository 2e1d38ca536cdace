"""Products by oneDNN and by plain torch are those of the layer, rounded once."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from operators.backbones.engines.products import PackedProduct, PlainProduct, packs, product

DTYPES = [torch.float32, torch.bfloat16]
ROWS_IN_OUT = [(1, 64, 64), (257, 588, 384), (272, 384, 1536), (33, 1536, 100)]


def layer_of(inputs: int, outputs: int) -> nn.Linear:
    draw = torch.Generator().manual_seed(inputs)
    layer = nn.Linear(inputs, outputs).requires_grad_(False)
    layer.weight.normal_(0, inputs**-0.5, generator=draw)
    layer.bias.normal_(0, 0.2, generator=draw)
    return layer


@pytest.fixture(params=[PackedProduct, PlainProduct])
def kind(request: pytest.FixtureRequest):
    return request.param


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("rows", "inputs", "outputs"), ROWS_IN_OUT)
def test_products_are_the_layers(kind, dtype, rows, inputs, outputs):
    if kind is PackedProduct and not packs(dtype):
        pytest.skip(f"this processor has no packed products of {dtype}")
    draw = torch.Generator().manual_seed(rows)
    seen, to = (torch.randn(rows, wide, generator=draw).to(dtype) for wide in (inputs, outputs))
    layer = layer_of(inputs, outputs)
    made = kind(layer, dtype)
    exact = F.linear(seen.double(), layer.weight.to(dtype).double(), layer.bias.to(dtype).double())

    near = {"rtol": 1e-5, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 8e-3, "atol": 2e-2}
    for got, want in (
        (made(seen), exact),
        (made.gelu(seen), F.gelu(exact)),
        (made.added(seen, to), to.double() + exact),
    ):
        assert got.dtype == dtype
        torch.testing.assert_close(got.double(), want, **near)


def test_the_layer_and_what_is_added_to_are_left_alone(kind):
    layer, to = layer_of(8, 8), torch.ones(4, 8)
    before = layer.weight.clone()
    kind(layer, torch.float32).added(torch.ones(4, 8), to)

    assert torch.equal(layer.weight, before)
    assert torch.equal(to, torch.ones(4, 8))


def test_a_build_without_onednn_computes_all_the_same(monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)

    assert all(isinstance(product(layer_of(8, 8), dtype), PlainProduct) for dtype in DTYPES)
