"""Products by oneDNN and by plain torch are those of the layer, rounded once."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from operators.backbones.engines.products import (
    PackedProduct,
    PlainProduct,
    fuses,
    packs,
    product,
)

DTYPES = [torch.float32, torch.bfloat16]
ROWS_IN_OUT = [(1, 64, 64), (257, 588, 384), (272, 384, 1536), (33, 1536, 100)]


def layer_of(inputs: int, outputs: int) -> nn.Linear:
    draw = torch.Generator().manual_seed(inputs)
    layer = nn.Linear(inputs, outputs).requires_grad_(False)
    layer.weight.normal_(0, inputs**-0.5, generator=draw)
    layer.bias.normal_(0, 0.2, generator=draw)
    return layer


def skip_where_absent(kind: type, dtype: torch.dtype) -> None:
    if kind is PackedProduct and not packs(dtype):
        pytest.skip(f"this processor has no packed products of {dtype}")


@pytest.fixture(params=[PackedProduct, PlainProduct])
def kind(request: pytest.FixtureRequest):
    return request.param


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("rows", "inputs", "outputs"), ROWS_IN_OUT)
def test_products_are_the_layers(kind, dtype, rows, inputs, outputs):
    skip_where_absent(kind, dtype)
    draw = torch.Generator().manual_seed(rows)
    seen, to = (torch.randn(rows, wide, generator=draw).to(dtype) for wide in (inputs, outputs))
    layer = layer_of(inputs, outputs)
    made = kind(layer, dtype)
    exact = F.linear(seen.double(), layer.weight.to(dtype).double(), layer.bias.to(dtype).double())

    near = {"rtol": 1e-5, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 8e-3, "atol": 2e-2}
    for got, want in (
        (made(seen), exact),
        (made.gelu(seen), F.gelu(exact)),
        (made.added(seen, to.clone()), to.double() + exact),
    ):
        assert got.dtype == dtype
        torch.testing.assert_close(got.double(), want, **near)


def test_a_float32_sum_of_bfloat16_products_is_not_rounded(kind):
    skip_where_absent(kind, torch.bfloat16)
    layer = layer_of(64, 64)
    seen, to = torch.randn(3, 64).to(torch.bfloat16), 1000 + torch.rand(3, 64)
    made = kind(layer, torch.bfloat16)
    got = made.added(seen, to.clone())

    assert got.dtype == torch.float32
    torch.testing.assert_close(got, to + made(seen).float(), rtol=1e-6, atol=0)


def test_with_avx2_alone_what_follows_a_product_is_torchs_own(monkeypatch):
    rows, to, layer = torch.randn(33, 64), torch.randn(33, 100), layer_of(64, 100)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    assert not fuses()
    made = PackedProduct(layer, torch.float32)

    assert torch.equal(made.gelu(rows), F.gelu(made(rows)))
    assert torch.equal(made.added(rows, to.clone()), to + made(rows))


def test_the_layer_and_the_rows_are_left_alone(kind):
    layer, rows = layer_of(8, 8), torch.ones(4, 8)
    before = layer.weight.clone()
    made = kind(layer, torch.float32)
    made.added(rows, torch.ones(4, 8))
    made.gelu(rows)

    assert torch.equal(layer.weight, before)
    assert torch.equal(rows, torch.ones(4, 8))


def test_a_build_without_onednn_computes_all_the_same(monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)

    assert all(isinstance(product(layer_of(8, 8), dtype), PlainProduct) for dtype in DTYPES)
