"""The process behind the `interpret_fused` fixture: one JSON request per line in, one reply out.

Runs with TRITON_INTERPRET=1, so the kernels beside attention's are interpreted on CPU tensors here.
A kernel writes into NaN; an error is relative to what it should be where that is above 1.
"""

import json
import math
import sys
import traceback
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from kernels import (
    device,
    patches,
    patches_triton,
    probe,
    reference,
    residual,
    residual_triton,
    swiglu,
    swiglu_triton,
    windows,
    windows_triton,
)

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
EPS = 1e-6


def _larger(values: Tensor, axis: int, *, before: int = 2) -> Tensor:
    """The same values as a view into a larger tensor whose other values are NaN, or 77."""
    size = list(values.shape)
    size[axis] += before + 3
    other = float("nan") if values.dtype.is_floating_point else 77
    view = torch.full(size, other, dtype=values.dtype).narrow(axis, before, values.shape[axis])
    view.copy_(values)
    return view


LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "contiguous": lambda values: values,
    "rows_of_a_larger_tensor": lambda values: _larger(values, values.dim() - 2),
    "channels_of_a_larger_tensor": lambda values: _larger(values, values.dim() - 1),
    "rows_from_an_odd_place": lambda values: _larger(values, values.dim() - 2, before=3),
    "images_of_a_larger_batch": lambda values: _larger(values, 0),
    "first_axes_swapped": lambda values: values.transpose(0, 1).contiguous().transpose(0, 1),
    "every_second_channel": lambda values: values.repeat_interleave(2, dim=-1)[..., ::2],
    "last_axes_swapped": lambda values: values.mT.contiguous().mT,
}


def _draw(
    shape: list[int], dtype: str, *, seed: int = 0, scale: float = 1, layout: str = "contiguous"
) -> Tensor:
    values = torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * scale
    return LAYOUTS[layout](values.to(getattr(torch, dtype)))


def _bytes(
    shape: list[int], *, patch: int = 14, seed: int = 0, layout: str = "contiguous"
) -> Tensor:
    n_batch, h, w = shape
    generator = torch.Generator().manual_seed(seed)
    size = (n_batch, patch * h, patch * w, 3)
    values = torch.randint(0, 256, size, generator=generator, dtype=torch.uint8)
    return LAYOUTS[layout](values)


def _compare(out: Tensor, truth: Tensor) -> dict[str, Any]:
    error = (out.float() - truth.float()).abs() / truth.float().abs().clamp(min=1)
    return {
        "max_error": error.max().item(),
        "unwritten": int(out.isnan().sum()),
        "shape": list(out.shape),
        "dtype": str(out.dtype),
    }


def run_patches(*, shape: list[int], dtype: str, patch: int = 14, **case: Any) -> dict[str, Any]:
    pixels = _bytes(shape, patch=patch, **case)
    size = (math.prod(shape), 3 * patch**2)
    out = torch.full(size, float("nan"), dtype=getattr(torch, dtype))
    patches_triton.launch(pixels, out, MEAN, STD, patch)
    return _compare(out, reference.patches(pixels, MEAN, STD, torch.float32, patch=patch))


def run_norm(
    *, shape: list[int], dtype: str, branches: str | None = None, **case: Any
) -> dict[str, Any]:
    """`branches` is the dtype of what is normed for a branch, where the stream has another."""
    tokens = _draw(shape, dtype, **case)
    weight, bias = (_draw(shape[-1:], dtype, seed=seed) for seed in (1, 2))
    out = torch.full(shape, float("nan"), dtype=getattr(torch, branches or dtype))
    residual_triton.launch_norm(tokens, weight, bias, out, eps=EPS)
    return _compare(out, reference.norm(tokens.float(), weight, bias, eps=EPS))


def run_add_norm(
    *, shape: list[int], dtype: str, branches: str | None = None, seed: int = 0, **case: Any
) -> dict[str, Any]:
    tokens = _draw(shape, dtype, seed=seed, **case)
    branch = _draw(shape, branches or dtype, seed=seed + 100, **case)
    gamma, weight, bias = (_draw(shape[-1:], dtype, seed=seed) for seed in (1, 2, 3))
    added, normed = (
        torch.full(shape, float("nan"), dtype=kind) for kind in (tokens.dtype, branch.dtype)
    )
    stream = (tokens, branch, gamma)
    residual_triton.launch_add_norm(stream, weight, bias, (added, normed), eps=EPS)
    truth, _ = reference.add_norm(
        tokens.float(), branch.float(), gamma.float(), weight, bias, eps=EPS
    )
    return {
        "added": _compare(added, truth),
        "normed": _compare(normed, reference.norm(added.float(), weight, bias, eps=EPS)),
    }


def run_swiglu(*, shape: list[int], dtype: str, **case: Any) -> dict[str, Any]:
    gate_value = _draw([*shape[:-1], 2 * shape[-1]], dtype, **case)
    out = torch.full(shape, float("nan"), dtype=gate_value.dtype)
    swiglu_triton.launch(gate_value, out)
    return _compare(out, reference.swiglu(gate_value.float()))


def run_windows(*, shape: list[int], dtype: str, present: list[int], **case: Any) -> dict[str, Any]:
    vectors = _draw(shape, dtype, **case)
    for window, count in zip(vectors, present, strict=True):
        window[count:] = float("nan")
    query = _draw(shape[-1:], dtype, seed=1)
    out = torch.full((shape[0], shape[2]), float("nan"), dtype=vectors.dtype)
    counts = torch.tensor(present)
    windows_triton.launch(vectors, counts, query, out)
    return _compare(out, reference.pool_windows(vectors.float(), counts, query))


def _calls(dtype: str) -> dict[str, tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]]:
    """Every public function with small arguments."""
    tokens, branch = (_draw([2, 3, 40], dtype, seed=seed) for seed in (1, 2))
    gamma, weight, bias = (_draw([40], dtype, seed=seed) for seed in (3, 4, 5))
    statistics = {"mean": MEAN, "std": STD, "dtype": getattr(torch, dtype), "patch": 14}
    pooled = (_draw([3, 5, 40], dtype), torch.tensor([5, 1, 3]), weight)
    return {
        "patches": (patches.patches, (_bytes([2, 1, 3]),), statistics),
        "norm": (residual.norm, (tokens, weight, bias), {"eps": EPS}),
        "add_norm": (residual.add_norm, (tokens, branch, gamma, weight, bias), {"eps": EPS}),
        "swiglu": (swiglu.swiglu, (tokens,), {}),
        "windows": (windows.pool_windows, pooled, {}),
    }


def public(*, kernel: str, dtype: str) -> dict[str, Any]:
    """The public function, as it is and traced by torch.compile, beside its torch composition."""
    function, arguments, options = _calls(dtype)[kernel]
    fast = torch.compile(function, backend="aot_eager", fullgraph=True)
    with torch.inference_mode():
        mine, traced = function(*arguments, **options), fast(*arguments, **options)
        device._probed = lambda where: False
        torch_only = function(*arguments, **options)
        device._probed = lambda where: True
    every = [out if isinstance(out, tuple) else (out,) for out in (mine, traced, torch_only)]
    pairs = list(zip(*every, strict=True))
    return {
        "same_when_traced": all(torch.equal(out, again) for out, again, _ in pairs),
        "results": [_compare(out, truth) for out, _, truth in pairs],
        "layout_kept": all(
            out.shape == truth.shape and out.dtype == truth.dtype for out, _, truth in pairs
        ),
    }


def opcheck(*, kernel: str) -> dict[str, Any]:
    _, arguments, options = _calls("float32")[kernel]
    if kernel == "patches":
        arguments, options = (*arguments, *options.values()), {}
    if kernel in ("norm", "add_norm"):
        options = {**options, "dtype": torch.float32}
    name = {"windows": "pool_windows"}.get(kernel, kernel)
    room = {"norm": residual_triton, "add_norm": residual_triton, "windows": windows_triton}
    room |= {"patches": patches_triton, "swiglu": swiglu_triton}
    return torch.library.opcheck(getattr(room[kernel], name), arguments, options)


def probed() -> dict[str, Any]:
    x = torch.arange(16.0)
    probe.count_up(x)
    return {"counted": torch.equal(x, torch.arange(1.0, 17.0))}


def main() -> None:
    runs = (run_patches, run_norm, run_add_norm, run_swiglu, run_windows)
    checks: dict[str, Callable[..., dict[str, Any]]] = {
        **{run.__name__.removeprefix("run_"): run for run in runs},
        **{check.__name__: check for check in (public, opcheck, probed)},
    }
    device._probed = lambda where: True  # the public path would not send a CPU tensor here
    for line in sys.stdin:
        case = json.loads(line)
        try:
            reply = checks[case.pop("check")](**case)
        except Exception:
            reply = {"error": traceback.format_exc()}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
