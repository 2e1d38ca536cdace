"""Attention of others between the same two layouts, `[B, N, 3, A, K]` to `[B, N, A*K]`.

Nothing in -> functions by name, and why others are absent. Must not know our kernel.
"""

from collections.abc import Callable

from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

Attention = Callable[[Tensor], Tensor]


def peers() -> tuple[dict[str, Attention], dict[str, str]]:
    """Everybody who can be asked here.

    Returns:
        Functions by name: torch's own choice, its FlashAttention-2, its cuDNN, and the packages
        flash_attn_interface (FlashAttention-3) and flash_attn where they import. Then the
        names of those that do not, with the reason.
    """
    found: dict[str, Attention] = {
        "sdpa": sdpa,
        "sdpa_flash": sdpa_flash,
        "sdpa_cudnn": sdpa_cudnn,
    }
    absent: dict[str, str] = {}
    for name, load in {"flash_attn_3": _flash_attn_3, "flash_attn_2": _flash_attn_2}.items():
        try:
            found[name] = load()
        except ImportError as error:
            absent[name] = str(error)
    return found, absent


def sdpa(qkv: Tensor) -> Tensor:
    """torch's own attention, whichever backend it takes."""
    q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
    return scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


def sdpa_flash(qkv: Tensor) -> Tensor:
    """The same by FlashAttention-2, which comes with torch."""
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        return sdpa(qkv)


def sdpa_cudnn(qkv: Tensor) -> Tensor:
    """The same by cuDNN's kernel."""
    with sdpa_kernel(SDPBackend.CUDNN_ATTENTION):
        return sdpa(qkv)


def _flash_attn_3() -> Attention:
    from flash_attn_interface import flash_attn_func

    def run(qkv: Tensor) -> Tensor:
        out = flash_attn_func(*qkv.unbind(2))
        # Older releases return the log-sum-exp beside it.
        attended: Tensor = out[0] if isinstance(out, tuple) else out
        return attended.flatten(2)

    return run


def _flash_attn_2() -> Attention:
    from flash_attn import flash_attn_qkvpacked_func

    def run(qkv: Tensor) -> Tensor:
        out: Tensor = flash_attn_qkvpacked_func(qkv)
        return out.flatten(2)

    return run
