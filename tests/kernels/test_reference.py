import pytest
import torch

from kernels import reference


def by_hand(qkv: torch.Tensor) -> torch.Tensor:
    """Head by head in float64, written out as the definition says."""
    n_batch, n_tokens, _, n_heads, head_dim = qkv.shape
    out = torch.empty(n_batch, n_tokens, n_heads * head_dim, dtype=torch.float64)
    for b in range(n_batch):
        for a in range(n_heads):
            q, k, v = qkv[b, :, :, a].double().unbind(1)
            weights = (q @ k.T / head_dim**0.5).exp()
            weights = weights / weights.sum(1, keepdim=True)
            out[b, :, a * head_dim : (a + 1) * head_dim] = weights @ v
    return out


@pytest.mark.parametrize("n_tokens", [1, 2, 17, 261])
@pytest.mark.parametrize("n_heads", [1, 3])
def test_equals_the_definition_in_float64(n_tokens: int, n_heads: int) -> None:
    qkv = torch.randn(2, n_tokens, 3, n_heads, 64, generator=torch.Generator().manual_seed(0))
    out = reference.attention(qkv)
    assert out.dtype == torch.float32
    assert out.shape == (2, n_tokens, n_heads * 64)
    torch.testing.assert_close(out.double(), by_hand(qkv), atol=1e-6, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_computes_in_float32_and_rounds_once(dtype: torch.dtype) -> None:
    qkv = torch.randn(1, 33, 3, 2, 64, generator=torch.Generator().manual_seed(1)).to(dtype)
    out = reference.attention(qkv)
    assert out.dtype == dtype
    assert torch.equal(out, reference.attention(qkv.float()).to(dtype))


def test_large_scores_do_not_overflow() -> None:
    qkv = 40 * torch.randn(1, 9, 3, 1, 64, generator=torch.Generator().manual_seed(2))
    assert reference.attention(qkv).isfinite().all()
