"""What a machine without a GPU can show: the gate, and that both sides of a contest agree."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from benchmarks import gpu_kernels

CPU = torch.device("cpu")
DTYPES = [torch.float32, torch.float16, torch.bfloat16]
KERNELS = ("patches", "norm", "add_norm", "swiglu", "windows")


@pytest.fixture(autouse=True)
def _leave_torch_as_it_was() -> Iterator[None]:
    yield
    torch.use_deterministic_algorithms(False)


def contest(kernel: str, dtype: torch.dtype) -> gpu_kernels.Contest:
    return next(one for one in gpu_kernels.contests(dtype, CPU) if one.kernel == kernel)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_eager_torch_computes_what_the_kernel_does(kernel: str, dtype: torch.dtype) -> None:
    one = contest(kernel, dtype)
    arguments = one.draw(one.gate_shapes[0], dtype, CPU)
    eager, truth = (gpu_kernels.all_of(run(*arguments)) for run in (one.eager, one.truth))
    for out, exact in zip(eager, truth, strict=True):
        torch.testing.assert_close(out, exact, atol=3e-2, rtol=3e-2)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_gate_is_green_where_torch_runs(kernel: str) -> None:
    one = contest(kernel, torch.float32)
    with torch.inference_mode():
        done = gpu_kernels.check(one, one.gate_shapes[0], torch.float32, CPU)
    assert done["passed"], done


def test_what_a_kernel_leaves_out_turns_the_gate_red() -> None:
    one = contest("swiglu", torch.float32)

    def half(gate_value: torch.Tensor) -> torch.Tensor:
        whole = one.truth(gate_value)
        out = gate_value.new_empty(whole.shape)
        out[1:] = whole[1:]
        return out

    broken = gpu_kernels.Contest("swiglu", half, *(getattr(one, name) for name in (
        "eager", "truth", "draw", "gate_shapes", "shapes")))  # fmt: skip
    torch.use_deterministic_algorithms(True, warn_only=True)
    done = gpu_kernels.check(broken, (3, 8, 2000), torch.float32, CPU)
    assert not done["passed"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="shows what a machine without a GPU says")
def test_without_a_gpu_it_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.gpu_kernels", "--out", str(tmp_path / "out.json")]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root)
    assert done.returncode == 1
    assert "torch sees no CUDA device" in done.stderr
    assert not (tmp_path / "out.json").exists()
