"""The process behind the `interpret` fixture: one JSON request per line in, one reply out.

Runs with TRITON_INTERPRET=1, so `kernels.flash` is interpreted on CPU tensors here.
"""

import json
import random
import sys
import traceback
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from kernels import attention, flash, reference
from kernels.tiles import Tile

INTERPRETED_ARCH = 80

LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "contiguous": lambda qkv: qkv,
    "tokens_inside_a_longer_sequence": lambda qkv: _window(qkv, dim=1),
    "heads_among_more_heads": lambda qkv: _window(qkv, dim=3),
    "channels_among_more_channels": lambda qkv: _window(qkv, dim=4),
    "heads_before_tokens": lambda qkv: qkv.permute(2, 0, 3, 1, 4).clone().permute(1, 3, 0, 2, 4),
    "tokens_before_images": lambda qkv: qkv.transpose(0, 1).contiguous().transpose(0, 1),
    "every_second_channel": lambda qkv: qkv.repeat_interleave(2, dim=-1)[..., ::2],
}


def _window(qkv: Tensor, dim: int) -> Tensor:
    """The same values as a view into a larger tensor whose other values are NaN."""
    size = list(qkv.shape)
    size[dim] += 5
    larger = torch.full(size, float("nan"), dtype=qkv.dtype)
    view = larger.narrow(dim, 2, qkv.shape[dim])
    view.copy_(qkv)
    return view


def _strided_at_random(qkv: Tensor, seed: int) -> Tensor:
    """The same values with their axes in any order in memory, among NaN."""
    dice = random.Random(seed)
    order = dice.sample(range(5), 5)
    larger = torch.full([qkv.shape[axis] + 3 for axis in order], float("nan"), dtype=qkv.dtype)
    view = larger.permute([order.index(axis) for axis in range(5)])
    for axis in range(5):
        view = view.narrow(axis, dice.randrange(4), qkv.shape[axis])
    return view.copy_(qkv)


def _draw(
    *,
    shape: list[int],
    dtype: str,
    layout: str = "contiguous",
    scale: float = 1,
    seed: int = 0,
    head_dim: int = 64,
) -> Tensor:
    n_batch, n_tokens, n_heads = shape
    dice = torch.Generator().manual_seed(1000 * seed + n_tokens)
    values = torch.randn(n_batch, n_tokens, 3, n_heads, head_dim, generator=dice)
    qkv = (values * scale).to(getattr(torch, dtype))
    return _strided_at_random(qkv, seed) if layout == "random" else LAYOUTS[layout](qkv)


def _compare(out: Tensor, qkv: Tensor) -> dict[str, Any]:
    truth = reference.attention(qkv.float())
    return {
        "max_abs_error": (out.float() - truth).abs().max().item(),
        "unwritten": int(out.isnan().sum()),
        "shape": list(out.shape),
        "dtype": str(out.dtype),
    }


def kernel(tile: dict[str, Any], **case: Any) -> dict[str, Any]:
    qkv = _draw(**case)
    n_batch, n_tokens, _, n_heads, head_dim = qkv.shape
    out = torch.full((n_batch, n_tokens, n_heads * head_dim), float("nan"), dtype=qkv.dtype)
    flash.launch(qkv, out, Tile(**tile))
    return _compare(out, qkv)


def operator(**case: Any) -> dict[str, Any]:
    qkv = _draw(**case)
    return _compare(flash.flash_attention(qkv), qkv)


def batch_mates(**case: Any) -> dict[str, Any]:
    qkv = _draw(**case)
    together = flash.flash_attention(qkv)
    alone = [flash.flash_attention(image[None]) for image in qkv]
    return {"equal": torch.equal(together, torch.cat(alone))}


def compiled(**case: Any) -> dict[str, Any]:
    qkv = _draw(**case)
    fast = torch.compile(attention.attention, backend="aot_eager", fullgraph=True)
    with torch.inference_mode():
        return _compare(fast(qkv), qkv)


def opcheck(**case: Any) -> dict[str, Any]:
    return torch.library.opcheck(flash.flash_attention, (_draw(**case),))


def backward(**case: Any) -> dict[str, Any]:
    try:
        flash.flash_attention(_draw(**case).requires_grad_()).sum().backward()
    except RuntimeError as error:
        return {"refused": str(error)}
    return {"refused": None}


def refusal(**case: Any) -> dict[str, Any]:
    try:
        flash.flash_attention(_draw(**case))
    except ValueError as error:
        return {"refused": str(error)}
    return {"refused": None}


def main() -> None:
    every = (kernel, operator, batch_mates, compiled, opcheck, backward, refusal)
    checks = {check.__name__: check for check in every}
    # The CPU has no compute capability, and the public path would not send a CPU tensor here.
    flash.architecture = lambda device: INTERPRETED_ARCH
    attention._announced_path = lambda *_: attention.AttentionPath("triton", "interpreted")
    for line in sys.stdin:
        case = json.loads(line)
        try:
            reply = checks[case.pop("check")](**case)
        except Exception:
            reply = {"error": traceback.format_exc()}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
