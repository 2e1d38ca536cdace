"""Holds the fused Triton kernels to their references on a GPU, then times each beside torch.

    python -m benchmarks.gpu_kernels --out results/gpu_kernels.json

In: a CUDA device. Out: one JSON file and a table; exit code 1 when the gate is red, and then no
timing. Needs torch and triton alone. Must not change the card's settings.
"""

import argparse
import json
import math
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.gpu_check import ROTATION_BYTES, TOLERANCE, capture, environment, replay_us
from kernels import reference
from kernels.device import runs_triton
from kernels.patches import patches
from kernels.reference import PATCH
from kernels.residual import add_norm, norm
from kernels.swiglu import swiglu
from kernels.windows import pool_windows

MEAN, STD, EPS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), 1e-6

Arguments = tuple[Tensor, ...]
Function = Callable[..., Tensor | tuple[Tensor, ...]]
Shape = tuple[int, ...]


def eager_patches(pixels: Tensor, *, mean: Tensor, std: Tensor, dtype: torch.dtype) -> Tensor:
    """What the backbone does today, normalise and then cut, but with its constants at hand."""
    n_batch, height, width, _ = pixels.shape
    frames = ((pixels.float() / 255 - mean) / std).to(dtype).permute(0, 3, 1, 2).contiguous()
    tiles = frames.reshape(n_batch, 3, height // PATCH, PATCH, width // PATCH, PATCH)
    return tiles.permute(0, 2, 4, 1, 3, 5).reshape(-1, 3 * PATCH * PATCH)


def eager_norm(tokens: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """torch's own LayerNorm."""
    return F.layer_norm(tokens, weight.shape, weight, bias, EPS)


def eager_add_norm(
    tokens: Tensor, branch: Tensor, gamma: Tensor, weight: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor]:
    """The same after a scaled add, as a block of the backbone has it."""
    added = torch.addcmul(tokens, branch, gamma)
    return added, eager_norm(added, weight, bias)


def eager_swiglu(gate_value: Tensor) -> Tensor:
    """As the feed-forward part of ViT-g has it."""
    gate, value = gate_value.chunk(2, dim=-1)
    return F.silu(gate) * value


def draw_patches(shape: Shape, dtype: torch.dtype, device: torch.device) -> Arguments:
    """Bytes of frames; the dtype is that of the result."""
    return (torch.randint(0, 256, (*shape, 3), dtype=torch.uint8, device=device),)


def draw_rows(
    shape: Shape, dtype: torch.dtype, device: torch.device, *, rows: int, channels: int
) -> Arguments:
    """Some tensors of the shape, and some with one number per channel."""
    kinds = [shape] * rows + [shape[-1:]] * channels
    return tuple(torch.randn(kind, dtype=dtype, device=device) for kind in kinds)


def draw_windows(shape: Shape, dtype: torch.dtype, device: torch.device) -> Arguments:
    """Vectors, frames that are present, a query."""
    vectors, query = draw_rows(shape, dtype, device, rows=1, channels=1)
    present = torch.randint(1, shape[1] + 1, shape[:1], device=device)
    return vectors, present, query


@dataclass(frozen=True, slots=True)
class Contest:
    """One kernel, the torch it replaces, and the shapes at which they meet."""

    kernel: str
    ours: Function
    eager: Function
    truth: Function
    draw: Callable[[Shape, torch.dtype, torch.device], Arguments]
    gate_shapes: tuple[Shape, ...]
    shapes: tuple[Shape, ...]


TOKENS = tuple(
    (n_batch, n_tokens, width)
    for n_batch, n_tokens in ((8, 257), (64, 257), (16, 1370))
    for width in (192, 384, 768, 1024, 1536)
)
ODD_TOKENS = tuple((3, 37, width) for width in (192, 200, 384, 768, 1024, 1536, 2048))


def contests(dtype: torch.dtype, device: torch.device) -> tuple[Contest, ...]:
    """All of them, for one dtype."""
    pixels: dict[str, Any] = {"mean": MEAN, "std": STD, "dtype": dtype}
    # Copied here, because a CUDA graph cannot record a copy from the host.
    mean, std = (torch.tensor(values, device=device) for values in (MEAN, STD))
    eager = partial(eager_patches, mean=mean, std=std, dtype=dtype)
    frames = ((8, 224, 224), (64, 224, 224), (64, 224, 392), (16, 518, 518))
    return (
        Contest(
            "patches", partial(patches, **pixels), eager,
            partial(reference.patches, **pixels), draw_patches,
            ((1, 14, 14), (3, 42, 70), (2, 518, 518)), frames,
        ),
        Contest(
            "norm", partial(norm, eps=EPS), eager_norm, partial(reference.norm, eps=EPS),
            partial(draw_rows, rows=1, channels=2), ODD_TOKENS, TOKENS,
        ),
        Contest(
            "add_norm", partial(add_norm, eps=EPS), eager_add_norm,
            partial(reference.add_norm, eps=EPS),
            partial(draw_rows, rows=2, channels=3), ODD_TOKENS, TOKENS,
        ),
        Contest(
            "swiglu", swiglu, eager_swiglu, reference.swiglu,
            partial(draw_rows, rows=1, channels=0),
            ((3, 37, 2000), (1, 1, 2)), ((8, 257, 8192), (64, 257, 8192), (16, 1370, 8192)),
        ),
        Contest(
            "windows", pool_windows, reference.pool_windows, reference.pool_windows, draw_windows,
            ((5, 1, 384), (5, 7, 385), (3, 256, 100)), ((8, 8, 384), (64, 8, 768), (512, 8, 1536)),
        ),
    )  # fmt: skip


def all_of(result: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The results of a function as a tuple."""
    return result if isinstance(result, tuple) else (result,)


def check(contest: Contest, shape: Shape, dtype: torch.dtype, device: torch.device) -> Any:
    """Compare with the reference, and with the same under torch.compile, in poisoned memory."""
    arguments = contest.draw(shape, dtype, device)
    outs = all_of(contest.ours(*arguments))
    again = all_of(torch.compile(contest.ours, backend="aot_eager", fullgraph=True)(*arguments))
    truths = all_of(contest.truth(*arguments))
    errors = [
        ((out.float() - truth.float()).norm() / truth.float().norm()).item()
        for out, truth in zip(outs, truths, strict=True)
    ]
    same = all(map(torch.equal, outs, again))
    return {
        "check": f"{contest.kernel} {list(shape)}",
        "dtype": str(dtype),
        "relative_errors": errors,
        "same_bits_compiled": same,
        "passed": same and all(error <= TOLERANCE[dtype] for error in errors),
    }


def correctness(device: torch.device) -> Iterator[Any]:
    """Every kernel in every dtype at odd shapes and at those to be timed."""
    # torch fills new memory with NaN then: what a kernel leaves out makes its error NaN.
    torch.use_deterministic_algorithms(True, warn_only=True)
    for dtype in TOLERANCE:
        for contest in contests(dtype, device):
            for shape in (*contest.gate_shapes, *contest.shapes[:1]):
                torch.compiler.reset()
                yield check(contest, shape, dtype, device)
    torch.use_deterministic_algorithms(False)


def call(function: Function, arguments: Arguments) -> object:
    """Call a function with the arguments of a contest."""
    return function(*arguments)


def time_shape(
    contest: Contest, shape: Shape, dtype: torch.dtype, rounds: int, device: torch.device
) -> dict[str, Any]:
    """Time the kernel, eager torch and compiled torch in turn, round by round."""
    torch.compiler.reset()
    functions = {
        "triton": contest.ours,
        "eager": contest.eager,
        "compiled": torch.compile(contest.eager, dynamic=False),
    }
    first = contest.draw(shape, dtype, device)
    moved = sum(tensor.nbytes for tensor in (*first, *all_of(contest.ours(*first))))
    n_inputs = min(64, max(4, math.ceil(ROTATION_BYTES / moved)))
    inputs: list[Any] = [first, *(contest.draw(shape, dtype, device) for _ in range(n_inputs - 1))]
    graphs = {
        name: capture(partial(call, function), inputs) for name, function in functions.items()
    }
    times: dict[str, list[float]] = {name: [] for name in graphs}
    for _ in range(rounds):
        for name, graph in graphs.items():
            times[name].append(replay_us(graph) / n_inputs)
    row: dict[str, Any] = {"kernel": contest.kernel, "shape": shape, "dtype": str(dtype)}
    for name, samples in times.items():
        median, spread = statistics.median(samples), statistics.quantiles(samples, n=10)
        row[name] = {"median_us": median, "p10_us": spread[0], "p90_us": spread[-1]}
        row[name]["gb_per_s"] = moved / median / 1e3  # of what has to be read and written once
    for peer in ("eager", "compiled"):
        ratios = [theirs / mine for theirs, mine in zip(times[peer], times["triton"], strict=True)]
        row[f"times_faster_than_{peer}"] = statistics.median(ratios)
    return row


def print_row(row: dict[str, Any]) -> None:
    """One line of the table."""
    cells = [
        f"{name} {row[name]['median_us']:8.1f} us {row[name]['gb_per_s']:5.0f} GB/s"
        for name in ("triton", "eager", "compiled")
    ]
    ratios = f"x {row['times_faster_than_eager']:.2f}, {row['times_faster_than_compiled']:.2f}"
    shape = "x".join(map(str, row["shape"]))
    print(f"{row['kernel']:9}{shape:14}{row['dtype'][6:]:9}", *cells, ratios, sep=" | ", flush=True)


def main() -> int:
    """Gate, then time; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--rounds", type=int, default=30, help="interleaved rounds per shape")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("torch sees no CUDA device; this benchmark needs one", file=sys.stderr)
        return 1
    device = torch.device("cuda", torch.cuda.current_device())
    torch.manual_seed(0)
    report: dict[str, Any] = {"environment": environment(device), "gate": [], "timing": []}
    print(json.dumps(report["environment"], indent=1))
    if runs_triton(device):
        with torch.inference_mode():
            report["gate"] = list(correctness(device))
    red = [checked for checked in report["gate"] if not checked["passed"]]
    print(f"gate: {len(report['gate'])} checks, {len(red)} failed")
    for checked in red:
        print("FAILED", checked)
    sound = bool(report["gate"]) and not red
    if sound:
        with torch.inference_mode():
            for contest in contests(torch.bfloat16, device):
                for shape in contest.shapes:
                    row = time_shape(contest, shape, torch.bfloat16, options.rounds, device)
                    report["timing"].append(row)
                    print_row(row)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
