"""Our own ways to run the backbone, as contestants: the engines of a CPU, or a GPU's kernels."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import torch
from torch import Tensor

from operators.bench.contestant import Absent, Contestant
from operators.bench.graph import captured
from operators.bench.task import Task
from operators.engines.choice import Choice, choose_engine
from operators.errors import UsageError
from operators.frames import Features, FrameBatch, FrameInfo
from operators.machine import this_machine
from operators.preprocess import normalise


def our_contestants(task: Task) -> Iterator[Contestant | Absent]:
    """All that this machine has."""
    return _on_cpu(task) if task.device.type == "cpu" else _on_gpu(task)


def _on_cpu(task: Task) -> Iterator[Contestant | Absent]:
    for name in ("torch", "openvino"):
        try:
            choice = choose_engine(name, task.device, this_machine())
        except UsageError as error:
            yield Absent(f"ours, {name}", str(error))
            continue
        for dtype in dict.fromkeys((torch.float32, choice.dtype)):
            yield _engine(task, Choice(name, dtype, "measured"))


def _engine(task: Task, choice: Choice) -> Contestant:
    from operators.backbone import Backbone
    from operators.weights import LoadedBackbone

    backbone = Backbone(
        LoadedBackbone(task.model(), "", True, f"random (seed {task.seed})"),
        batch_size=task.batch,
        threads=task.cores,
        choice=choice,
    )
    frames = FrameBatch(
        tuple(_info(number, task.side) for number in range(task.batch)), task.pixels
    )
    name = f"ours, {choice.name} {str(choice.dtype).removeprefix('torch.')}"
    return Contestant(name, lambda: backbone(frames), _tokens, choice.dtype, backbone.close)


def _info(number: int, side: int) -> FrameInfo:
    rate = Fraction(1, 5)
    return FrameInfo("bench", "s", str(number), number, rate, number, number, (side, side))


def _tokens(features: Features) -> Tensor:
    return torch.cat((features.cls[:, None], features.patches.flatten(1, 2)), 1)


def _on_gpu(task: Task) -> Iterator[Contestant]:
    model = task.model().to(task.device, torch.bfloat16)
    pixels = torch.from_numpy(task.pixels).to(task.device)

    @torch.inference_mode()
    def run() -> Tensor:
        tokens: Tensor = model(normalise(pixels, torch.bfloat16))[0]
        return tokens

    yield Contestant("ours, eager", run, lambda tokens: tokens, torch.bfloat16)
    yield Contestant("ours, CUDA graph", captured(run), lambda tokens: tokens, torch.bfloat16)
    compiled = torch.compile(model, mode="max-autotune-no-cudagraphs", dynamic=False)

    @torch.inference_mode()
    def run_compiled() -> Tensor:
        tokens: Tensor = compiled(normalise(pixels, torch.bfloat16))[0]
        return tokens

    name = "ours, compiled, CUDA graph"
    yield Contestant(name, captured(run_compiled), lambda tokens: tokens, torch.bfloat16)
