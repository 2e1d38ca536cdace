"""What a precision of heads switches on a GPU, and that nobody else is switched with it."""

from __future__ import annotations

import pytest
import torch

from operators.backbones.precision import Precision

CUDA = torch.device("cuda", 0)


def switches() -> tuple[bool, bool]:
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


@pytest.mark.parametrize("precision", Precision)
def test_products_are_in_tf32_only_where_that_was_asked_for(precision: Precision) -> None:
    before, asked = switches(), precision is Precision.TF32
    with precision.on(CUDA):
        assert switches() == (asked, asked)
        assert torch.backends.cudnn.deterministic
        assert not torch.backends.cudnn.benchmark
    assert switches() == before


def test_what_fails_leaves_no_switch_on() -> None:
    before = switches()
    with pytest.raises(ZeroDivisionError), Precision.TF32.on(CUDA):
        raise ZeroDivisionError
    assert switches() == before


def test_a_cpu_has_no_switches() -> None:
    before = switches()
    with Precision.TF32.on(torch.device("cpu")):
        assert switches() == before


def test_a_backbones_dtype_is_a_precision() -> None:
    assert Precision.of(torch.float32) is Precision.FLOAT32
    assert Precision.of(torch.bfloat16) is Precision.BFLOAT16
