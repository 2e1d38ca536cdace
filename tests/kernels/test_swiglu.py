import pytest
import torch

from kernels.swiglu import swiglu

TOLERANCE = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 1e-2}


def draw(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(dtype)


@pytest.mark.parametrize("dtype", list(TOLERANCE))
def test_equals_the_definition_in_float64(dtype: torch.dtype) -> None:
    gate_value = draw(2, 5, 96, dtype=dtype)
    out = swiglu(gate_value)
    assert (out.dtype, out.shape, out.is_contiguous()) == (dtype, (2, 5, 48), True)
    gate, value = gate_value.double()[..., :48], gate_value.double()[..., 48:]
    exact = gate / (1 + (-gate).exp()) * value
    tolerance = TOLERANCE[dtype]
    torch.testing.assert_close(out.double(), exact, atol=tolerance, rtol=tolerance)


def test_float32_has_the_bits_of_the_layer_of_the_model() -> None:
    gate_value = draw(3, 1, 8192)
    gate, value = gate_value.chunk(2, dim=-1)
    assert torch.equal(swiglu(gate_value), torch.nn.functional.silu(gate) * value)


@pytest.mark.parametrize(
    ("gate_value", "message"),
    [
        (torch.zeros(2, 5), r"shape \[2, 5\]; allowed: \[\.\.\., 2\*hidden\]"),
        (torch.zeros(6), r"shape \[6\]; allowed"),
        (torch.zeros(0, 6), "not empty"),
        (torch.zeros(2, 6, dtype=torch.int32), r"gate_value is torch\.int32; allowed"),
    ],
)
def test_what_does_not_fit_is_refused(gate_value: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        swiglu(gate_value)


@pytest.mark.needs_gpu
@pytest.mark.parametrize("dtype", list(TOLERANCE))
def test_cuda_equals_the_reference(dtype: torch.dtype) -> None:
    gate_value = draw(3, 257, 8192, dtype=dtype)
    out = swiglu(gate_value.cuda()).cpu()
    tolerance = 1e-5 if dtype == torch.float32 else TOLERANCE[dtype]  # exp and / approximate there
    torch.testing.assert_close(out, swiglu(gate_value), atol=tolerance, rtol=tolerance)
