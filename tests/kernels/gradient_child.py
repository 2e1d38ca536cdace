"""The process behind the `interpret_gradient` fixture: one JSON request per line in, one reply out.

Runs with TRITON_INTERPRET=1, so the kernels of attention and its gradient are interpreted on CPU
tensors here. The truth is torch's own differentiation in float64.
"""

import json
import math
import sys
import traceback
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from kernels import attention as public
from kernels import flash, flash_packed
from kernels.backward_tiles import BackwardTiles, select_backward_tiles
from kernels.flash_backward import launch_backward
from kernels.packs import packs
from kernels.tiles import Tile, select_tile

INTERPRETED_ARCH = 80
SLOTS = ("queries", "keys", "values")


def _draw(
    *,
    lengths: Sequence[int],
    n_heads: int,
    dtype: str,
    scale: float = 1,
    seed: int = 0,
    head_dim: int = 64,
) -> tuple[Tensor, Tensor]:
    """A pack `[T, 3, A, K]` and a gradient of its result `[T, A*K]`."""
    dice = torch.Generator().manual_seed(1000 * seed + sum(lengths))
    kind = getattr(torch, dtype)
    qkv = torch.randn(sum(lengths), 3, n_heads, head_dim, generator=dice) * scale
    d_out = torch.randn(sum(lengths), n_heads * head_dim, generator=dice)
    return qkv.to(kind), d_out.to(kind)


def _truth(qkv: Tensor, d_out: Tensor, lengths: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Result and gradient in float64, sequence by sequence."""
    leaf = qkv.double().requires_grad_()
    out = torch.cat([_softmax_attention(one) for one in leaf.split(list(lengths))])
    (gradient,) = torch.autograd.grad(out, leaf, d_out.double())
    return out.detach(), gradient


def _softmax_attention(qkv: Tensor) -> Tensor:
    q, k, v = qkv.unbind(1)
    scores = torch.einsum("mak,nak->amn", q, k) / math.sqrt(q.shape[-1])
    return torch.einsum("amn,nak->mak", scores.softmax(-1), v).flatten(1)


def _compare(out: Tensor, d_qkv: Tensor, qkv: Tensor, d_out: Tensor, lengths: list[int]) -> Any:
    truth, gradient = _truth(qkv, d_out, lengths)
    # Of one key dQ and dK are zero: their error is relative to the gradient as a whole.
    found, wanted = (one.double().transpose(0, 1).flatten(1) for one in (d_qkv, gradient))
    errors = (found - wanted).norm(dim=1) / wanted.norm(dim=1).clamp_min(wanted.norm() / 2)
    return {
        "out": float((out.double() - truth).abs().max()),
        "errors": dict(zip(SLOTS, errors.tolist(), strict=True)),
        "unwritten": int(out.isnan().sum() + d_qkv.isnan().sum()),
        "dtype": str(d_qkv.dtype),
    }


def gradient(
    lengths: list[int], tiles: dict[str, Any] | None = None, arch: int = 80, **case: Any
) -> dict[str, Any]:
    """Forward and both passes into outputs full of NaN, in given tiles or in those of a chip."""
    qkv, d_out = _draw(lengths=lengths, **case)
    out, lse = torch.full_like(d_out, math.nan), torch.full([qkv[:, 0, :, 0].numel()], math.nan)
    d_qkv = torch.full_like(qkv, math.nan)
    for pack in packs(tuple(lengths), qkv.device):
        forward = select_tile(arch, pack.n_tokens, qkv.element_size())
        flash.launch_pack(qkv, out, lse, pack, forward)
        backward = select_backward_tiles(arch, pack.n_tokens, qkv.element_size())
        if tiles is not None:
            backward = BackwardTiles(Tile(**tiles["queries"]), Tile(**tiles["keys"]))
        launch_backward(qkv, out, d_out, lse, d_qkv, pack, backward)
    return _compare(out, d_qkv, qkv, d_out, lengths)


def _both(qkv: Tensor, d_out: Tensor, lengths: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Result and gradient by the public function."""
    leaf = qkv.detach().requires_grad_()
    out = public.packed_attention(leaf, lengths)
    (gradient,) = torch.autograd.grad(out, leaf, d_out)
    return out.detach(), gradient


def repetition(lengths: list[int], order: list[int], **case: Any) -> dict[str, Any]:
    """The same again, every sequence alone, and the pack in another order: all bits the same."""
    qkv, d_out = _draw(lengths=lengths, **case)
    first = _both(qkv, d_out, lengths)
    again = _both(qkv, d_out, lengths)
    ends = list(accumulate(lengths))
    spans = [slice(end - length, end) for end, length in zip(ends, lengths, strict=True)]
    alone = [_both(qkv[span], d_out[span], [span.stop - span.start]) for span in spans]
    places = torch.cat([torch.arange(spans[i].start, spans[i].stop) for i in order])
    shuffled = _both(qkv[places], d_out[places], [lengths[i] for i in order])
    return {
        "again": all(map(torch.equal, first, again)),
        "alone": all(torch.equal(first[i], torch.cat([one[i] for one in alone])) for i in range(2)),
        "shuffled": all(torch.equal(first[i][places], shuffled[i]) for i in range(2)),
    }


def attended(n_batch: int, n_tokens: int, **case: Any) -> dict[str, Any]:
    """`attention` with a gradient: bits of the one without, and of a pack, from any strides."""
    lengths = [n_tokens] * n_batch
    qkv, d_out = _draw(lengths=lengths, **case)
    packed = _both(qkv, d_out, lengths)
    images = qkv.unflatten(0, (n_batch, n_tokens))
    leaf = images.permute(0, 3, 2, 1, 4).contiguous().permute(0, 3, 2, 1, 4).requires_grad_()
    out = public.attention(leaf)
    (d_leaf,) = torch.autograd.grad(out, leaf, d_out.view_as(out))
    return {
        "without": torch.equal(out, public.attention(images)),
        "pack": torch.equal(out.flatten(0, 1), packed[0]),
        "gradient": torch.equal(d_leaf.flatten(0, 1), packed[1]),
    }


def difference(lengths: list[int], step: float, **case: Any) -> dict[str, Any]:
    """Slope of sum(out * d_out) along a direction: by finite differences, and by the gradient."""
    qkv, d_out = _draw(lengths=lengths, dtype="float32", **case)
    direction, _ = _draw(lengths=lengths, dtype="float32", **case | {"seed": 1})
    _, gradient = _both(qkv, d_out, lengths)
    above, below = (
        (public.packed_attention(qkv + sign * step * direction, lengths).double() * d_out).sum()
        for sign in (1, -1)
    )
    return {
        "measured": float(above - below) / (2 * step),
        "told": float((gradient.double() * direction).sum()),
    }


def compiled(n_batch: int, n_tokens: int, **case: Any) -> dict[str, Any]:
    qkv, d_out = _draw(lengths=[n_tokens] * n_batch, **case)
    fast = torch.compile(public.attention, backend="aot_eager", fullgraph=True)
    found = []
    for run in (public.attention, fast):
        leaf = qkv.unflatten(0, (n_batch, n_tokens)).detach().requires_grad_()
        out = run(leaf)
        found.append((out, *torch.autograd.grad(out, leaf, d_out.view_as(out))))
    return {"same": all(map(torch.equal, *found))}


def opcheck(lengths: list[int], **case: Any) -> dict[str, Any]:
    qkv, d_out = _draw(lengths=lengths, **case)
    forward, backward = (
        flash_packed.packed_flash_attention,
        flash_packed.packed_flash_attention_backward,
    )
    kept = forward(qkv, lengths)
    return {
        "forward": torch.library.opcheck(forward, (qkv.requires_grad_(), lengths)),
        "backward": torch.library.opcheck(backward, (d_out, qkv.detach(), *kept, lengths)),
    }


def second(lengths: list[int], **case: Any) -> dict[str, Any]:
    qkv, d_out = _draw(lengths=lengths, **case)
    leaf = qkv.requires_grad_()
    out = public.packed_attention(leaf, lengths)
    (gradient,) = torch.autograd.grad(out, leaf, d_out, create_graph=True)
    try:
        gradient.sum().backward()
    except RuntimeError as error:
        return {"refused": str(error)}
    return {"refused": None}


def refusal(lengths: list[int], **case: Any) -> dict[str, Any]:
    qkv, _ = _draw(lengths=lengths, **case)
    try:
        flash_packed.packed_flash_attention(qkv.requires_grad_(), lengths)
    except ValueError as error:
        return {"refused": str(error)}
    return {"refused": None}


def main() -> None:
    every: tuple[Callable[..., dict[str, Any]], ...] = (
        *(gradient, repetition, attended, difference, compiled, opcheck, second, refusal),
    )
    checks = {check.__name__: check for check in every}
    # The CPU has no compute capability, and the public path would not send a CPU tensor here.
    flash.architecture = flash_packed.architecture = lambda device: INTERPRETED_ARCH
    public._announced_path = lambda *_: public.AttentionPath("triton", "interpreted")
    for line in sys.stdin:
        case = json.loads(line)
        try:
            reply = checks[case.pop("check")](**case)
        except Exception:
            reply = {"error": traceback.format_exc()}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
