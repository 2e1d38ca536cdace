"""Our own ways to run the backbone, as contestants: the engines of a CPU, or a GPU's kernels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

import torch
from torch import Tensor

from operators.backbones.engines.choice import INT8, Choice, choose_engine
from operators.backbones.machine import this_machine
from operators.backbones.preprocess import normalise
from operators.bench.contestant import INT8_COSINE, ROUNDED_COSINE, Absent, Contestant
from operators.bench.graph import captured
from operators.bench.task import Task
from operators.errors import UsageError
from operators.frames import Features, FrameBatch, FrameInfo


def our_contestants(task: Task, *, compiled: bool) -> Iterator[Contestant | Absent]:
    """All that this machine has.

    Args:
        task: what they have to do.
        compiled: with `torch.compile` on a GPU, which takes a minute.
    """
    return _on_cpu(task) if task.device.type == "cpu" else _on_gpu(task, compiled)


def _on_cpu(task: Task) -> Iterator[Contestant | Absent]:
    for name in ("torch", "openvino", INT8):
        try:
            choice = choose_engine(name, task.device, this_machine())
        except UsageError as error:
            yield Absent(f"ours, {name}", str(error))
            continue
        dtypes = (choice.dtype,) if name == INT8 else (torch.float32, choice.dtype)
        for dtype in dict.fromkeys(dtypes):
            yield _engine(task, Choice(name, dtype, "measured"))


def _engine(task: Task, choice: Choice) -> Contestant:
    from operators.backbones.backbone import Backbone
    from operators.backbones.loaded import LoadedBackbone

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
    least = INT8_COSINE if choice.name == INT8 else ROUNDED_COSINE[choice.dtype]
    return Contestant(name, lambda: backbone(frames), _tokens, choice.dtype, least, backbone.close)


def _info(number: int, side: int) -> FrameInfo:
    rate = Fraction(1, 5)
    return FrameInfo("bench", "s", str(number), number, rate, number, number, (side, side))


def _tokens(features: Features) -> Tensor:
    return torch.cat((features.cls[:, None], features.patches.flatten(1, 2)), 1)


def _on_gpu(task: Task, compiled: bool) -> Iterator[Contestant]:
    model = task.model().to(task.device, torch.bfloat16)
    pixels = torch.from_numpy(task.pixels).to(task.device)

    @torch.inference_mode()
    def run() -> Tensor:
        tokens: Tensor = model(normalise(pixels, torch.bfloat16))[0]
        return tokens

    yield _of_tensors("ours, eager", run)
    yield _of_tensors("ours, CUDA graph", captured(run))
    if not compiled:
        return
    faster = torch.compile(model, mode="max-autotune-no-cudagraphs", dynamic=False)

    @torch.inference_mode()
    def run_compiled() -> Tensor:
        tokens: Tensor = faster(normalise(pixels, torch.bfloat16))[0]
        return tokens

    yield _of_tensors("ours, compiled, CUDA graph", captured(run_compiled))


def _of_tensors(name: str, run: Callable[[], Tensor]) -> Contestant:
    least = ROUNDED_COSINE[torch.bfloat16]
    return Contestant(name, run, lambda tokens: tokens, torch.bfloat16, least)
