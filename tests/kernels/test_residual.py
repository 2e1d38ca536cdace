import pytest
import torch

from kernels.residual import add_norm, norm
from operators.backbones.architectures import ARCHITECTURES
from operators.backbones.vit import Block

EPS = 1e-6
TOLERANCE = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 1e-2}
CUDA_TOLERANCE = TOLERANCE | {torch.float32: 1e-5}  # its square roots and divisions are approximate


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def in_float64(tokens: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    exact = tokens.double()
    centred = exact - exact.mean(-1, keepdim=True)
    variance = (centred**2).mean(-1, keepdim=True)
    return centred / (variance + EPS).sqrt() * weight.double() + bias.double()


@pytest.mark.parametrize("width", [1, 192, 1536])
@pytest.mark.parametrize("dtype", list(TOLERANCE))
def test_equals_the_definition_in_float64(width: int, dtype: torch.dtype) -> None:
    tokens, branch = (draw(2, 5, width, seed=seed, dtype=dtype) for seed in (1, 2))
    gamma, weight, bias = (draw(width, seed=seed, dtype=dtype) for seed in (3, 4, 5))
    added, normed = add_norm(tokens, branch, gamma, weight, bias, eps=EPS)
    assert (added.dtype, normed.dtype, added.shape) == (dtype, dtype, tokens.shape)
    tolerance = {"atol": TOLERANCE[dtype], "rtol": TOLERANCE[dtype]}
    exact = tokens.double() + gamma.double() * branch.double()
    torch.testing.assert_close(added.double(), exact, **tolerance)
    torch.testing.assert_close(normed.double(), in_float64(added, weight, bias), **tolerance)
    assert torch.equal(norm(added, weight, bias, eps=EPS), normed)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_float32_stream_takes_branches_of_16_bits(dtype: torch.dtype) -> None:
    tokens, branch = draw(2, 5, 192, seed=1), draw(2, 5, 192, seed=2, dtype=dtype)
    gamma, weight, bias = (draw(192, seed=seed) for seed in (3, 4, 5))
    added, normed = add_norm(tokens, branch, gamma, weight, bias, eps=EPS, dtype=dtype)
    assert (added.dtype, normed.dtype) == (torch.float32, dtype)
    torch.testing.assert_close(added, tokens + gamma * branch.float(), atol=1e-6, rtol=1e-6)
    assert torch.equal(normed, norm(added, weight, bias, eps=EPS).to(dtype))
    assert torch.equal(normed, norm(added, weight, bias, eps=EPS, dtype=dtype))


@torch.inference_mode()
def test_says_what_a_block_says() -> None:
    block = Block(ARCHITECTURES["dinov2_vits14"]).eval()
    torch.nn.init.normal_(block.ls1.gamma, generator=torch.Generator().manual_seed(7))
    tokens = draw(2, 17, 384)
    first = norm(tokens, block.norm1.weight, block.norm1.bias, eps=EPS)
    assert torch.equal(first, block.norm1(tokens))
    branch = block.attn(first)
    stream, second = add_norm(
        tokens, branch, block.ls1.gamma, block.norm2.weight, block.norm2.bias, eps=EPS
    )
    plain = block.ls1(tokens, branch)
    torch.testing.assert_close(stream, plain, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(second, block.norm2(plain), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (torch.zeros(4), r"shape \[4\]; allowed: \[\.\.\., D\], not empty"),
        (torch.zeros(0, 4), "not empty"),
        (torch.zeros(1, 2049), "D at most 2048"),
        (torch.zeros(1, 4, dtype=torch.float64), r"tokens are torch\.float64; allowed"),
    ],
)
def test_other_tokens_are_refused(tokens: torch.Tensor, message: str) -> None:
    weight = torch.zeros(tokens.shape[-1], dtype=tokens.dtype)
    with pytest.raises(ValueError, match=message):
        norm(tokens, weight, weight, eps=EPS)


def test_other_results_are_refused() -> None:
    with pytest.raises(ValueError, match=r"dtype is torch\.float64; allowed: torch\.float32"):
        norm(draw(3, 4), draw(4), draw(4), eps=EPS, dtype=torch.float64)
    with pytest.raises(ValueError, match=r"branch is torch\.float64 .* in torch\.float32"):
        add_norm(draw(3, 4), draw(3, 4).double(), draw(4), draw(4), draw(4), eps=EPS)


def test_tensors_that_do_not_belong_together_are_refused() -> None:
    tokens, right, wrong = draw(3, 4), draw(4), draw(5)
    with pytest.raises(ValueError, match=r"bias is torch\.float32 \[5\]; allowed: .*\[4\]"):
        norm(tokens, right, wrong, eps=EPS)
    with pytest.raises(ValueError, match=r"gamma is torch\.float16 \[4\]; allowed: torch\.float32"):
        add_norm(tokens, tokens, right.half(), right, right, eps=EPS)
    with pytest.raises(ValueError, match=r"branch is torch\.float32 \[1, 4\]; allowed: that of"):
        add_norm(tokens, tokens[:1], right, right, right, eps=EPS)


@pytest.mark.needs_gpu
@pytest.mark.parametrize("width", [192, 1536])
def test_cuda_keeps_a_float32_stream(width: int) -> None:
    tokens, branch = draw(3, 257, width, seed=1), draw(3, 257, width, seed=2).bfloat16()
    channels = tuple(draw(width, seed=seed) for seed in (3, 4, 5))
    options = {"eps": EPS, "dtype": torch.bfloat16}
    there = add_norm(*(tensor.cuda() for tensor in (tokens, branch, *channels)), **options)
    here = add_norm(tokens, branch, *channels, **options)
    for out, truth in zip(there, here, strict=True):
        tolerance = CUDA_TOLERANCE[truth.dtype]
        torch.testing.assert_close(out.cpu(), truth, atol=tolerance, rtol=tolerance)


@pytest.mark.needs_gpu
@pytest.mark.parametrize("width", [192, 384, 768, 1024, 1536])
@pytest.mark.parametrize("dtype", list(TOLERANCE))
def test_cuda_equals_the_reference(width: int, dtype: torch.dtype) -> None:
    tokens, branch = (draw(3, 257, width, seed=seed, dtype=dtype) for seed in (1, 2))
    channels = tuple(draw(width, seed=seed, dtype=dtype) for seed in (3, 4, 5))
    there = add_norm(*(tensor.cuda() for tensor in (tokens, branch, *channels)), eps=EPS)
    here = add_norm(tokens, branch, *channels, eps=EPS)
    tolerance = CUDA_TOLERANCE[dtype]
    for out, truth in zip(there, here, strict=True):
        torch.testing.assert_close(out.cpu(), truth, atol=tolerance, rtol=tolerance)
