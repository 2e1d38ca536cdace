"""Attention of others that has a gradient, over packs: `[T, 3, A, K]` to `[T, A*K]`.

Lengths in -> functions by name, and why others are absent. Must not know our kernels.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate

import torch
from torch import Tensor

from ..packs import runs
from .attention_peers import sdpa, sdpa_cudnn, sdpa_flash

Attention = Callable[[Tensor], Tensor]


def pack_peers(
    lengths: Sequence[int], device: torch.device, *, flex: bool
) -> tuple[dict[str, Attention], dict[str, str]]:
    """Everybody who can be asked about packs of these lengths.

    Args:
        lengths: tokens of each sequence.
        device: where the tokens are.
        flex: compiled flex attention too, which takes tens of seconds to compile.

    Returns:
        Functions by name: torch's own choice, its FlashAttention-2 and its cuDNN, one call per run
        of equal lengths; its variable-length attention in one call; compiled flex attention with a
        mask of blocks. Then the names of those that are not there, with the reason.
    """
    found: dict[str, Attention] = {
        name: partial(run_by_run, run, lengths=lengths)
        for name, run in {"sdpa": sdpa, "sdpa_flash": sdpa_flash, "sdpa_cudnn": sdpa_cudnn}.items()
    }
    absent: dict[str, str] = {}
    try:
        found["varlen_attn"] = _varlen(lengths, device)
    except ImportError as error:  # torch older than 2.10
        absent["varlen_attn"] = str(error)
    if flex:
        found["flex_compiled"] = _flex(lengths, device)
    else:
        absent["flex_compiled"] = "left out where it takes longest to compile"
    return found, absent


def run_by_run(run: Attention, qkv: Tensor, *, lengths: Sequence[int]) -> Tensor:
    """Attention of batches, called once per run of equal lengths.

    Args:
        run: `[B, N, 3, A, K]` to `[B, N, A*K]`.
        qkv: `[T, 3, A, K]`.
        lengths: tokens of each sequence.

    Returns:
        `[T, A*K]`.
    """
    counts = list(runs(lengths))
    parts = qkv.split([count * n_tokens for count, n_tokens in counts])
    outs = [
        run(part.unflatten(0, one)).flatten(0, 1) for part, one in zip(parts, counts, strict=True)
    ]
    return torch.cat(outs) if len(outs) > 1 else outs[0]


def _varlen(lengths: Sequence[int], device: torch.device) -> Attention:
    from torch.nn.attention.varlen import varlen_attn

    ends = torch.tensor([0, *accumulate(lengths)], dtype=torch.int32, device=device)
    longest = max(lengths)

    def run(qkv: Tensor) -> Tensor:
        q, k, v = qkv.unbind(1)
        out = varlen_attn(q, k, v, ends, ends, longest, longest)
        assert isinstance(out, Tensor), "more was not asked for"
        return out.flatten(1)

    return run


def _flex(lengths: Sequence[int], device: torch.device) -> Attention:
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    counts = torch.tensor(lengths, device=device)
    owner = torch.arange(len(lengths), device=device).repeat_interleave(counts)
    n_tokens = len(owner)

    def together(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return owner[query] == owner[key]

    mask = create_block_mask(together, None, None, n_tokens, n_tokens, device=str(device))
    compiled = torch.compile(flex_attention, dynamic=False)

    def run(qkv: Tensor) -> Tensor:
        q, k, v = qkv.permute(1, 2, 0, 3)[:, None].unbind(0)
        out: Tensor = compiled(q, k, v, block_mask=mask)
        return out[0].transpose(0, 1).flatten(1)

    return run
