"""Flash attention in Gluon for sm_90: which kernel computes a tile's blocks of queries, and how.

In: `[B, N, 3, A, K]` float16 or bfloat16. Out: the blocks of queries of `[B, N, A*K]`. Like the
kernels it imports Gluon at its top: it is itself imported late, and may fail.
Must not know when it is used, nor compute query tails: `kernels.flash` does.
"""

import torch
from torch import Tensor

from .device import architecture
from .flash_overlapped import overlapped_fwd_kernel
from .flash_specialised import GROUP_WARPS, specialised_fwd_kernel
from .flash_whole_row import whole_row_fwd_kernel
from .tiles import Variant, check_schedule

KERNELS = {
    "overlapped": overlapped_fwd_kernel,
    "whole_row": whole_row_fwd_kernel,
    "specialised": specialised_fwd_kernel,
}


def launch_blocks(qkv: Tensor, out: Tensor, variant: Variant) -> None:
    """Run a schedule's kernel on the tensors' device, which has to be an sm_90.

    Args:
        qkv: `[B, N, 3, A, K]` float16 or bfloat16, as `kernels.flash.launch` takes it, and aligned.
        out: contiguous `[B, N, A*K]`; overwritten but for the query tail.
        variant: of these N, with at least one full block of keys.

    Raises:
        ValueError: for another chip or dtype.
        Exception: whatever Gluon says where this triton or this chip does not compile it.
    """
    check_schedule(variant.tile, architecture(qkv.device), qkv.element_size())
    n_batch, n_tokens, _, n_heads, _ = qkv.shape
    n_blocks = variant.n_blocks(n_tokens)
    with torch.cuda.device_of(qkv):
        KERNELS[variant.tile.schedule][(n_batch * n_heads * n_blocks,)](
            qkv,
            out,
            n_tokens,
            n_heads,
            n_blocks,
            *qkv.stride()[:4],
            **constants(variant),
            **options(variant),
        )


def constants(variant: Variant) -> dict[str, int]:
    """The kernel's compile-time arguments; a tail of keys is one block, so a power of two."""
    tile = variant.tile
    found = {
        "D": variant.head_dim,
        "BM": tile.block_q,
        "BN": tile.block_kv,
        "TAIL": 1 << (variant.tail - 1).bit_length() if variant.tail else 0,
    }
    return found if tile.schedule == "whole_row" else found | {"STAGES": tile.num_stages}


def options(variant: Variant) -> dict[str, int | None]:
    """The kernel's compiler options; a specialised one's warps are the first group's."""
    if variant.tile.schedule == "specialised":
        return variant.options | {"num_warps": GROUP_WARPS.value}
    return variant.options
