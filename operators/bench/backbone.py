"""One DINOv2 in every way that this machine can run it, in turns: ours beside what others offer.

Settings in -> a report as JSON values out. One process; first everybody's tokens are held to the
plain float32 model's, and one that computes something else ends it before a figure exists.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from kernels.bench.origin import origin
from operators.backbones.architectures import Architecture
from operators.backbones.machine import this_machine
from operators.backbones.preprocess import normalise
from operators.bench.arithmetic import matrix_rate
from operators.bench.contestant import Absent, Contestant
from operators.bench.gate import GateRed
from operators.bench.ours import our_contestants
from operators.bench.peers import peer_contestants
from operators.bench.provenance import load, provenance
from operators.bench.ratios import ratio_figures, share_figures
from operators.bench.stopwatch import seconds_of
from operators.bench.task import Task
from operators.errors import UsageError

FORMAT = 1

Tell = Callable[[str], None]
Keep = Callable[[dict[str, Any]], None]
Sizes = tuple[tuple[int, int], ...]

ON_CPU: Sizes = ((224, 8), (518, 1))
# Latency of a few frames, then batches that fill a GPU.
ON_GPU: Sizes = ((224, 8), (224, 256), (518, 1), (518, 32))
_FEW = 8  # frames: compiling is compared in large batches on a GPU, since it takes a minute a size


@dataclass(frozen=True, slots=True)
class Settings:
    """How much is measured.

    Attributes:
        arch: of the model.
        device: where.
        sizes: (side of the square frames in pixels, frames at a time).
        rounds: of turns.
        compiled: with `torch.compile` too, which takes minutes.
    """

    arch: Architecture
    device: torch.device
    sizes: Sizes = ON_CPU
    rounds: int = 9
    compiled: bool = True


def measure(settings: Settings, tell: Tell, keep: Keep = lambda report: None) -> dict[str, Any]:
    """Run everything.

    Args:
        settings: how much.
        tell: told what happens now.
        keep: given the report of what is measured so far, after each size.

    Returns:
        The report; `operators.bench.report` makes a table of it.

    Raises:
        UsageError: a model with registers.
        GateRed: somebody's tokens are wrong; there are no figures then.
    """
    if settings.arch.registers:
        raise UsageError(
            f"{settings.arch.name} has registers; a plain Dinov2Model, with which all is compared, "
            "has none: take a DINOv2 without them"
        )
    report: dict[str, Any] = {
        "benchmark": "backbone",
        "format": FORMAT,
        **provenance(),
        "rounds": settings.rounds,
        "model": settings.arch.name,
        "device": _device(settings.device),
        "card": origin(settings.device) if settings.device.type == "cuda" else None,
        "tasks": [],
    }
    cores = this_machine().cores
    for side, batch in settings.sizes:
        task = Task(settings.arch, side, batch, settings.device, cores)
        report["tasks"].append(_task(task, settings, tell))
        report["load_after"] = load()
        keep(report)
    return report


def _task(task: Task, settings: Settings, tell: Tell) -> dict[str, Any]:
    tell(f"{task.name}: building")
    compiled = settings.compiled and (task.device.type == "cpu" or task.batch > _FEW)
    found = [
        *peer_contestants(task, compiled=compiled),
        *our_contestants(task),
    ]
    ready = [one for one in found if isinstance(one, Contestant)]
    try:
        tell(f"{task.name}: gate of {len(ready)}")
        gate = _gate(task, ready)
        rates = {
            str(dtype): matrix_rate(task.device, dtype, task.cores)
            for dtype in dict.fromkeys(one.dtype for one in ready)
        }
        seconds = _seconds(task, ready, settings.rounds, tell)
    finally:
        for one in ready:
            one.close()
    ratios = ratio_figures(task, seconds)
    shares = share_figures(task, seconds, ready, rates)
    return {
        "name": task.name,
        "batch": task.batch,
        "least_cosine": gate,
        "absent": {one.name: one.why for one in found if isinstance(one, Absent)},
        "matrix_gflop_per_s": {dtype: rate / 1e9 for dtype, rate in rates.items()},
        "seconds": seconds,
        "ratios": [one.to_json() for one in ratios],
        "shares": [one.to_json() for one in shares],
    }


def _gate(task: Task, contestants: Sequence[Contestant]) -> dict[str, float]:
    """Contestant -> least cosine of a token; the first run of each, so it compiles here."""
    truth = _truth(task)
    cosines = {}
    for one in contestants:
        tokens = one.tokens(one.run()).float().cpu()
        if tokens.shape[0] != task.batch or not bool(tokens.isfinite().all()):
            raise GateRed(f"{one.name}: tokens are {list(tokens.shape)} or no numbers; no figures")
        cosines[one.name] = float(cosine_similarity(tokens[:1], truth, dim=-1).min())
        if cosines[one.name] < one.least_cosine:
            raise GateRed(
                f"{one.name} at {task.name}: a token's cosine with the plain float32 model's is "
                f"{cosines[one.name]:.5f}, at least {one.least_cosine} is wanted; no figures"
            )
    return cosines


@torch.inference_mode()
def _truth(task: Task) -> Tensor:
    """Tokens of the first frame by the plain model on the CPU."""
    torch.set_num_threads(task.cores)
    pixels = torch.from_numpy(task.pixels[:1])
    tokens: Tensor = task.model()(normalise(pixels, torch.float32))[0]
    return tokens


def _seconds(
    task: Task, contestants: Sequence[Contestant], rounds: int, tell: Tell
) -> dict[str, list[float]]:
    """Contestant -> seconds of each round, in turns."""
    seconds: dict[str, list[float]] = {one.name: [] for one in contestants}
    for number in range(rounds):
        tell(f"{task.name}: round {number + 1} of {rounds}")
        for one in contestants:
            seconds[one.name].append(seconds_of(one.run, task.device))
    return seconds


def _device(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
