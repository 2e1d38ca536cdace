"""Holds the Triton attention kernel to its reference on a GPU, then times it beside torch SDPA.

    python -m benchmarks.gpu_check --out results/gpu_check.json

In: a CUDA device. Out: one JSON file and a table; exit code 1 when the gate is red, and then no
timing. Needs torch and triton alone. Must not change the card's settings.
"""

import argparse
import json
import math
import platform
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
import triton
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from kernels import reference
from kernels.attention import attention, attention_path
from kernels.tiles import HEAD_DIM, TILE_TABLE, Tile, select_tile

# ||out - truth|| / ||truth||. Rounding the weights and the result once each leaves 2.8e-4 in
# float16 and 2.2e-3 in bfloat16 (simulated in torch, N = 1370); 2.5 times that is allowed.
TOLERANCE = {torch.float16: 7e-4, torch.bfloat16: 5.5e-3, torch.float32: 1e-5}
GATE_TOKENS = (1, 16, 63, 64, 65, 80, 81, 129, 144, 145, 161, 177, 257, 261, 449, 1370, 1374)

# Enough different inputs that no round finds its own in the L2 cache (60 MB on an H200).
ROTATION_BYTES = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Workload:
    """One shape to time: what a batch of frames asks of one backbone layer."""

    name: str
    n_batch: int
    n_tokens: int
    n_heads: int

    @property
    def flop(self) -> int:
        """Floating-point operations of the two products, 4 N N K A B."""
        return 4 * self.n_tokens**2 * HEAD_DIM * self.n_heads * self.n_batch


WORKLOADS = (
    Workload("S 224", 8, 257, 6),
    Workload("S 224", 64, 257, 6),
    Workload("S 224 reg", 64, 261, 6),
    Workload("B 224", 64, 257, 12),
    Workload("L 224", 64, 257, 16),
    Workload("S 224x392", 64, 449, 6),
    Workload("S 518", 8, 1370, 6),
    Workload("S 518", 64, 1370, 6),
    Workload("B 518", 32, 1370, 12),
    Workload("L 518", 16, 1370, 16),
    Workload("L 518 reg", 16, 1374, 16),
)


def draw(
    n_batch: int, n_tokens: int, n_heads: int, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """Random projection `[B, N, 3, A, 64]`."""
    return torch.randn(n_batch, n_tokens, 3, n_heads, HEAD_DIM, dtype=dtype, device=device)


def outcome(check: str, out: Tensor, truth: Tensor) -> dict[str, Any]:
    """Compare a result with the float32 truth."""
    error = (out.float() - truth).norm() / truth.norm()
    return {
        "check": check,
        "dtype": str(out.dtype),
        "relative_error": error.item(),
        "max_abs_error": (out.float() - truth).abs().max().item(),
        "unwritten": int(out.isnan().sum()),
        "passed": error.item() <= TOLERANCE[out.dtype],
    }


def check_kernel(qkv: Tensor, tile: Tile) -> dict[str, Any]:
    """Run one tile into a poisoned output."""
    from kernels.flash import launch

    n_batch, n_tokens, _, n_heads, _ = qkv.shape
    shape = (n_batch, n_tokens, n_heads * HEAD_DIM)
    out = torch.full(shape, math.nan, dtype=qkv.dtype, device=qkv.device)
    launch(qkv, out, tile)
    check = f"N={n_tokens} B={n_batch} A={n_heads} {tile}"
    return outcome(check, out, reference.attention(qkv.float()))


def correctness(arch: int, device: torch.device) -> Iterator[dict[str, Any]]:
    """The selected tile at every N, every tile at two more, and strided input."""
    for dtype in TOLERANCE:
        for n_tokens in GATE_TOKENS:
            tile = select_tile(arch, n_tokens, dtype.itemsize)
            yield check_kernel(draw(3, n_tokens, 6, dtype, device), tile)
        for row in TILE_TABLE:
            if row.element_bytes == dtype.itemsize and row.arch in (80, arch):
                # Without and with a query tail; 9 heads leave warps of the last program idle.
                for n_tokens in (303, 3 * row.tile.block_q + 7):
                    yield check_kernel(draw(3, n_tokens, 3, dtype, device), row.tile)
        heads_first = draw(3, 257, 6, dtype, device).transpose(1, 3).contiguous().transpose(1, 3)
        truth = reference.attention(heads_first.float())
        yield outcome("N=257, heads before tokens", attention(heads_first), truth)


def same_bits(check: str, left: Tensor, right: Tensor) -> dict[str, Any]:
    """Compare two results bit by bit."""
    return {"check": check, "dtype": str(left.dtype), "passed": torch.equal(left, right)}


def invariance(device: torch.device) -> Iterator[dict[str, Any]]:
    """Batch mates, repetition, torch.compile and offsets beyond 32 bits change no bit."""
    for n_tokens in (257, 1370):
        qkv = draw(9, n_tokens, 6, torch.bfloat16, device)
        out = attention(qkv)
        alone = torch.cat([attention(image[None]) for image in qkv])
        yield same_bits(f"N={n_tokens}: batch mates", out, alone)
        yield same_bits(f"N={n_tokens}: run again", out, attention(qkv))
        compiled = torch.compile(attention, backend="aot_eager", fullgraph=True)
        with torch.inference_mode():
            yield same_bits(f"N={n_tokens}: torch.compile", out, compiled(qkv))
    yield far_offsets(device)


def far_offsets(device: torch.device) -> dict[str, Any]:
    """The last image of a batch that 32-bit offsets cannot reach."""
    if torch.cuda.mem_get_info(device)[0] < 8 * 2**30:
        return {"check": "offsets beyond 2^31: left out, under 8 GiB free", "passed": True}
    far = draw(520, 1370, 16, torch.float16, device)
    assert far.numel() > 2**31
    return same_bits("offsets beyond 2^31", attention(far)[-1:], attention(far[-1:]))


def sdpa(qkv: Tensor) -> Tensor:
    """torch's own attention between the same two layouts."""
    q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
    return scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


def sdpa_cudnn(qkv: Tensor) -> Tensor:
    """The same, by cuDNN's kernel."""
    with sdpa_kernel(SDPBackend.CUDNN_ATTENTION):
        return sdpa(qkv)


CONTENDERS: dict[str, Callable[[Tensor], Tensor]] = {
    "triton": attention,
    "sdpa": sdpa,
    "sdpa_cudnn": sdpa_cudnn,
}


def capture(run: Callable[[Tensor], object], inputs: list[Tensor]) -> torch.cuda.CUDAGraph:
    """Record one call per input, so that replaying measures the device and not Python."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            run(inputs[0])
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for qkv in inputs:
            run(qkv)
    return graph


def replay_us(graph: torch.cuda.CUDAGraph) -> float:
    """Microseconds of one replay, by CUDA events."""
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    graph.replay()
    end.record()
    end.synchronize()
    return 1000 * start.elapsed_time(end)


def time_workload(
    workload: Workload, dtype: torch.dtype, rounds: int, device: torch.device
) -> dict[str, Any]:
    """Time all contenders in turn, round by round."""
    shape = (workload.n_batch, workload.n_tokens, workload.n_heads)
    first = draw(*shape, dtype, device)
    n_inputs = min(64, max(4, math.ceil(ROTATION_BYTES / first.nbytes)))
    inputs = [first, *(draw(*shape, dtype, device) for _ in range(n_inputs - 1))]
    graphs: dict[str, torch.cuda.CUDAGraph] = {}
    row: dict[str, Any] = {**asdict(workload), "dtype": str(dtype), "errors": {}, "us": {}}
    for name, run in CONTENDERS.items():
        try:
            graphs[name] = capture(run, inputs)
            replay_us(graphs[name])
        except RuntimeError as error:
            row["errors"][name] = str(error).splitlines()[0]
    graphs = {name: graph for name, graph in graphs.items() if name not in row["errors"]}
    times: dict[str, list[float]] = {name: [] for name in graphs}
    for _ in range(rounds):
        for name, graph in graphs.items():
            times[name].append(replay_us(graph) / n_inputs)
    for name, samples in times.items():
        median = statistics.median(samples)
        spread = statistics.quantiles(samples, n=10)
        row["us"][name] = {"median": median, "p10": spread[0], "p90": spread[-1]}
        row["us"][name]["tflop_per_s"] = workload.flop / median / 1e6
    return row


def environment(device: torch.device) -> dict[str, Any]:
    """What a figure must be read with."""
    properties = torch.cuda.get_device_properties(device)
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": first_line("git", "rev-parse", "HEAD"),
        "gpu": properties.name,
        "multiprocessors": properties.multi_processor_count,
        "driver_and_power_limit": first_line(
            "nvidia-smi", "--query-gpu=driver_version,power.limit", "--format=csv,noheader"
        ),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "triton": triton.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "attention_path": attention_path(device)._asdict(),
    }


def first_line(*command: str) -> str | None:
    """First line that a command prints; None where it is missing or fails."""
    if shutil.which(command[0]) is None:
        return None
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.partition("\n")[0] if done.returncode == 0 else None


def print_row(row: dict[str, Any]) -> None:
    """One line of the table."""
    cells = [
        f"{name} {row['us'][name]['median']:8.1f} us {row['us'][name]['tflop_per_s']:4.0f} TF/s"
        if name in row["us"]
        else f"{name} {row['errors'][name]}"
        for name in CONTENDERS
    ]
    shape = f"B={row['n_batch']:<3} N={row['n_tokens']:<4} A={row['n_heads']:<2}"
    print(f"{row['name']:10} {shape} {row['dtype'][6:]:8} | " + " | ".join(cells), flush=True)


def main() -> int:
    """Gate, then time; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--rounds", type=int, default=30, help="interleaved rounds per shape")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("torch sees no CUDA device; this check needs one", file=sys.stderr)
        return 1
    device = torch.device("cuda", torch.cuda.current_device())
    torch.manual_seed(0)
    report: dict[str, Any] = {"environment": environment(device), "gate": [], "timing": []}
    path = attention_path(device)
    if path.name == "triton":
        major, minor = torch.cuda.get_device_capability(device)
        for check in (*correctness(10 * major + minor, device), *invariance(device)):
            report["gate"].append(check)
    red = [check for check in report["gate"] if not check["passed"]]
    print(json.dumps(report["environment"], indent=1))
    print(f"gate: {len(report['gate'])} checks, {len(red)} failed")
    for check in red:
        print("FAILED", check)
    sound = path.name == "triton" and not red
    if sound:
        for dtype in (torch.bfloat16, torch.float16):
            for workload in WORKLOADS:
                report["timing"].append(time_workload(workload, dtype, options.rounds, device))
                print_row(report["timing"][-1])
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
