"""What a machine without a GPU can show: the gate, and that both sides of a contest agree."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from kernels.bench import fused_race
from kernels.bench.fused import Contest, all_of, contests

CPU = torch.device("cpu")
KERNELS = ("patches", "norm", "add_norm", "swiglu", "windows")


@pytest.fixture(autouse=True)
def _leave_torch_as_it_was() -> Iterator[None]:
    yield
    torch.use_deterministic_algorithms(False)


def contest(kernel: str, dtype: torch.dtype) -> Contest:
    return next(one for one in contests(dtype, CPU) if one.kernel == kernel)


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_eager_torch_computes_what_the_kernel_does(kernel: str, dtype: torch.dtype) -> None:
    one = contest(kernel, dtype)
    arguments = one.draw(one.gate_shapes[0], dtype, CPU)
    eager, truth = (all_of(run(*arguments)) for run in (one.eager, one.truth))
    for out, exact in zip(eager, truth, strict=True):
        torch.testing.assert_close(out, exact, atol=3e-2, rtol=3e-2)


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
def test_the_gate_is_green_where_torch_runs(kernel: str) -> None:
    one = contest(kernel, torch.float32)
    with torch.inference_mode():
        done = fused_race.check(one, one.gate_shapes[0], torch.float32, CPU)
    assert done["passed"], done


@pytest.mark.slow
def test_what_a_kernel_leaves_out_turns_the_gate_red() -> None:
    one = contest("swiglu", torch.float32)

    def half(gate_value: torch.Tensor) -> torch.Tensor:
        whole = one.truth(gate_value)
        out = gate_value.new_empty(whole.shape)
        out[1:] = whole[1:]
        return out

    torch.use_deterministic_algorithms(True, warn_only=True)
    done = fused_race.check(replace(one, ours=half), (3, 8, 2000), torch.float32, CPU)
    assert not done["passed"]
