"""Packs of sequences: forward and backward in triton's interpreter, and torch's way on the CPU."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from kernels import reference
from kernels.attention import attention, packed_attention
from kernels.bench.gate import TOLERANCE as GATE
from kernels.bench.gate import relative_error

Interpret = Callable[..., dict[str, Any]]
MIXED = [17, 1, 50, 17, 34]
TOLERANCE = {"float32": 1e-6, "float16": 1e-3}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lengths", "dtype"),
    [(MIXED, "float32"), (MIXED, "float16"), ([50, 257, 50], "float16")],
)
def test_a_mixed_pack_equals_differentiation(
    interpret_gradient: Interpret, dtype: str, lengths: list[int]
) -> None:
    answer = interpret_gradient("gradient", lengths=lengths, n_heads=1, dtype=dtype)
    assert answer["unwritten"] == 0
    assert answer["out"] <= TOLERANCE[dtype]
    assert max(answer["errors"].values()) <= TOLERANCE[dtype]


@pytest.mark.slow
def test_repetition_mates_and_order_change_no_bit(interpret_gradient: Interpret) -> None:
    case = {"lengths": MIXED, "order": [3, 0, 4, 2, 1], "n_heads": 1, "dtype": "float16"}
    answer = interpret_gradient("repetition", **case)
    assert answer == {"again": True, "alone": True, "shuffled": True}


@pytest.mark.parametrize("n_tokens", [20, 69])
def test_wanting_a_gradient_changes_no_bit(interpret_gradient: Interpret, n_tokens: int) -> None:
    case = {"n_batch": 2, "n_tokens": n_tokens, "n_heads": 2, "dtype": "float16"}
    answer = interpret_gradient("attended", **case)
    assert answer == {"without": True, "pack": True, "gradient": True}


@pytest.mark.slow
def test_training_compiles_into_one_graph(interpret_gradient: Interpret) -> None:
    case = {"n_batch": 2, "n_tokens": 17, "n_heads": 1, "dtype": "float32"}
    assert interpret_gradient("compiled", **case)["same"]


@pytest.mark.slow
def test_keeps_the_rules_of_torch_operators(interpret_gradient: Interpret) -> None:
    outcome = interpret_gradient("opcheck", lengths=[5, 17], n_heads=1, dtype="float32")
    assert {one for checks in outcome.values() for one in checks.values()} == {"SUCCESS"}


def test_a_second_gradient_is_refused(interpret_gradient: Interpret) -> None:
    answer = interpret_gradient("second", lengths=[5], n_heads=1, dtype="float32")
    assert "no autograd formula" in answer["refused"]


@pytest.mark.parametrize("head_dim", [16, 128])
def test_other_heads_are_refused(interpret_gradient: Interpret, head_dim: int) -> None:
    case = {"lengths": [16], "n_heads": 1, "dtype": "float16", "head_dim": head_dim}
    said = interpret_gradient("refusal", **case)["refused"]
    assert said == f"heads have {head_dim} numbers; allowed: 32 or 64"


def draw(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize("head_dim", [32, 64, 80])
def test_on_the_cpu_a_pack_is_its_sequences(head_dim: int) -> None:
    qkv = draw(sum(MIXED), 3, 2, head_dim)
    out = packed_attention(qkv, MIXED)
    truth = reference.packed_attention(qkv, MIXED)
    torch.testing.assert_close(out, truth, atol=1e-6, rtol=1e-6)
    alone = [attention(one[None])[0] for one in qkv.split(MIXED)]
    assert torch.equal(out, torch.cat(alone))


def test_on_the_cpu_a_pack_has_torchs_gradient() -> None:
    qkv = draw(2 * 17 + 5, 3, 2, 64).requires_grad_()
    d_out = draw(2 * 17 + 5, 128)
    (gradient,) = torch.autograd.grad(packed_attention(qkv, [17, 17, 5]), qkv, d_out)
    for start, end in ((0, 17), (17, 34), (34, 39)):
        truth = reference.attention_gradient(qkv.detach()[None, start:end], d_out[None, start:end])
        torch.testing.assert_close(gradient[None, start:end], truth, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("shape", "lengths", "message"),
    [
        ((5, 3, 2), [5], r"shape \[5, 3, 2\]; allowed: \[T, 3, A, K\]"),
        ((5, 2, 3, 64), [5], r"shape \[5, 2, 3, 64\]; allowed: \[T, 3, A, K\]"),
        ((0, 3, 2, 64), [], r"shape \[0, 3, 2, 64\]; allowed: at least one"),
        ((5, 3, 2, 64), [2, 2], r"2 lengths from 2 add up to 4 tokens, the pack has 5; allowed"),
        ((5, 3, 2, 64), [5, 0], r"2 lengths from 0 add up to 5 tokens, the pack has 5; allowed"),
        ((5, 3, 2, 64), [6, -1], r"2 lengths from -1 add up to 5 tokens"),
    ],
)
def test_other_packs_are_refused(shape: tuple[int, ...], lengths: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        packed_attention(torch.zeros(shape), lengths)


def test_other_dtypes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"dtype torch\.float64; allowed: torch\.float32, "):
        packed_attention(torch.zeros(2, 3, 1, 64, dtype=torch.float64), [2])


@pytest.mark.needs_gpu
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_on_a_gpu_the_gradient_is_that_of_the_reference(dtype: torch.dtype) -> None:
    lengths = [257, 50, 257, 17, 1]
    qkv = draw(sum(lengths), 3, 6, 64).to("cuda", dtype).requires_grad_()
    d_out = draw(sum(lengths), 384).to("cuda", dtype)
    first, again = (
        torch.autograd.grad(packed_attention(qkv, lengths), qkv, d_out)[0] for _ in range(2)
    )
    assert torch.equal(first, again)
    spans = zip(qkv.detach().split(lengths), d_out.split(lengths), strict=True)
    truth = torch.cat(
        [reference.attention_gradient(one[None], d_one[None])[0] for one, d_one in spans]
    )
    assert relative_error(first, truth) <= GATE[dtype]
