import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from kernels import attention as public
from kernels import reference

TOLERANCE = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 1e-2}
# The GPU's exp2 is an approximation (PTX ISA, ex2.approx), coarser than float32's own rounding.
CUDA_TOLERANCE = TOLERANCE | {torch.float32: 1e-5}


@pytest.fixture(autouse=True)
def _choose_afresh() -> Iterator[None]:
    caches = (public._find_path, public._announced_path)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def draw(
    *shape: int, dtype: torch.dtype = torch.float32, device: str = "cpu", head_dim: int = 64
) -> torch.Tensor:
    n_batch, n_tokens, n_heads = shape
    generator = torch.Generator().manual_seed(n_tokens)
    qkv = torch.randn(n_batch, n_tokens, 3, n_heads, head_dim, generator=generator)
    return qkv.to(device=device, dtype=dtype)


@pytest.mark.slow
@pytest.mark.parametrize("n_tokens", [1, 16, 257, 261, 1370])
@pytest.mark.parametrize("dtype", list(TOLERANCE))
def test_cpu_equals_the_reference(n_tokens: int, dtype: torch.dtype) -> None:
    qkv = draw(1, n_tokens, 2, dtype=dtype)
    out = public.attention(qkv)
    assert out.dtype == dtype
    truth = reference.attention(qkv.float())
    torch.testing.assert_close(out.float(), truth, atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype])


@pytest.mark.parametrize("head_dim", [32, 80, 128])
def test_cpu_takes_heads_of_any_size(head_dim: int) -> None:
    qkv = draw(2, 65, 3, head_dim=head_dim)
    torch.testing.assert_close(public.attention(qkv), reference.attention(qkv), atol=1e-6, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("n_tokens", [1, 257, 261, 449])
@pytest.mark.parametrize("dtype", list(TOLERANCE))
def test_cpu_batch_mates_change_no_bit(n_tokens: int, dtype: torch.dtype) -> None:
    qkv = draw(7, n_tokens, 3, dtype=dtype)
    alone = torch.cat([public.attention(image[None]) for image in qkv])
    for n_batch in (2, 3, 7):
        assert torch.equal(public.attention(qkv[:n_batch]), alone[:n_batch])
        assert torch.equal(public.attention(qkv[-n_batch:]), alone[-n_batch:])


def test_a_strided_view_gives_the_same_bits() -> None:
    qkv = draw(2, 33, 2)
    view = torch.full((2, 40, 3, 4, 64), float("nan"))[:, 3:36, :, 1:3]
    view.copy_(qkv)
    assert torch.equal(public.attention(view), public.attention(qkv))


def test_compiles_into_one_graph_and_runs_in_inference_mode() -> None:
    compiled = torch.compile(public.attention, backend="aot_eager", fullgraph=True)
    qkv = draw(2, 17, 2)
    assert torch.equal(compiled(qkv), public.attention(qkv))
    with torch.inference_mode():
        assert torch.equal(compiled(qkv), public.attention(qkv))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 17, 384), r"shape \[2, 17, 384\]; allowed: \[B, N, 3, A, K\]"),
        ((2, 17, 2, 6, 64), r"shape \[2, 17, 2, 6, 64\]; allowed: \[B, N, 3, A, K\]"),
        ((0, 17, 3, 6, 64), r"shape \[0, 17, 3, 6, 64\]; allowed: at least one image"),
        ((1, 0, 3, 6, 64), r"shape \[1, 0, 3, 6, 64\]; allowed: at least one image"),
        ((1, 2, 3, 6, 0), r"shape \[1, 2, 3, 6, 0\]; allowed: at least one image"),
    ],
)
def test_other_shapes_are_refused(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        public.attention(torch.zeros(shape))


def test_other_dtypes_are_refused() -> None:
    qkv = torch.zeros(1, 2, 3, 1, 64, dtype=torch.float64)
    with pytest.raises(ValueError, match=r"dtype torch\.float64; allowed: torch\.float32, "):
        public.attention(qkv)


def test_the_cpu_path_says_why() -> None:
    name, reason = public.attention_path("cpu", 64)
    assert name == "sdpa"
    assert reason == "the Triton kernel needs a CUDA device, this is cpu"


def test_the_choice_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="kernels.attention")
    for _ in range(3):
        public.attention(draw(1, 4, 1))
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert caplog.messages == [
        "attention on cpu runs sdpa: the Triton kernel needs a CUDA device, this is cpu"
    ]


@pytest.mark.skipif(torch.cuda.is_available(), reason="shows what a machine without a GPU says")
def test_a_missing_gpu_is_the_reason() -> None:
    assert public.attention_path("cuda", 64) == ("sdpa", "torch sees no CUDA device")


def pretend_cuda(monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int]) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)


def test_a_fallback_on_cuda_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pretend_cuda(monkeypatch, (7, 5))
    assert not public._runs_triton(torch.device("cuda", 0), 64)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert caplog.messages == [
        "attention on cuda:0 runs sdpa: compute capability is 7.5, "
        "the Triton kernel needs 8.0 or newer"
    ]


@pytest.mark.parametrize("head_dim", [16, 80, 128])
def test_heads_that_the_kernel_does_not_serve_fall_back_aloud(
    head_dim: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pretend_cuda(monkeypatch, (9, 0))
    assert not public._runs_triton(torch.device("cuda", 0), head_dim)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert caplog.messages == [
        "attention on cuda:0 runs sdpa: the Triton kernel serves heads of 32 or 64 numbers, "
        f"these have {head_dim}"
    ]


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a launch that fails")
def test_a_launch_that_fails_is_told_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_cuda(monkeypatch, (9, 0))
    name, reason = public.attention_path("cuda", 64)
    assert name == "sdpa"
    assert reason.startswith("the Triton kernel does not run here: ")


@pytest.mark.slow
def test_importing_and_running_on_the_cpu_leaves_triton_alone() -> None:
    script = (
        "import sys, torch; from kernels.attention import attention;"
        "attention(torch.zeros(1, 2, 3, 1, 64));"
        "assert 'triton' not in sys.modules and 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])


@pytest.mark.needs_gpu
@pytest.mark.parametrize("n_tokens", [1, 16, 257, 261, 449, 1370, 1374])
@pytest.mark.parametrize("dtype", list(TOLERANCE))
def test_cuda_runs_the_kernel_and_equals_the_reference(n_tokens: int, dtype: torch.dtype) -> None:
    qkv = draw(3, n_tokens, 6, dtype=dtype, device="cuda")
    assert public.attention_path(qkv.device, 64).name == "triton"
    out = public.attention(qkv)
    truth = reference.attention(qkv.float())
    tolerance = CUDA_TOLERANCE[dtype]
    torch.testing.assert_close(out.float(), truth, atol=tolerance, rtol=tolerance)


@pytest.mark.needs_gpu
def test_cuda_batch_mates_change_no_bit() -> None:
    qkv = draw(9, 257, 6, dtype=torch.bfloat16, device="cuda")
    alone = torch.cat([public.attention(image[None]) for image in qkv])
    assert torch.equal(public.attention(qkv), alone)


@pytest.mark.needs_gpu
def test_cuda_compiles_into_one_graph() -> None:
    compiled = torch.compile(public.attention, backend="aot_eager", fullgraph=True)
    qkv = draw(2, 261, 6, dtype=torch.float16, device="cuda")
    assert torch.equal(compiled(qkv), public.attention(qkv))
