"""Our own ways to run the backbone, as contestants: the engines of a CPU, or a GPU's kernels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

import torch
from torch import Tensor

from kernels.device import architecture, runs_triton
from operators.backbones.engines.choice import INT8, Choice, choose_engine
from operators.backbones.engines.fused_choice import fused_kernels
from operators.backbones.engines.gpu_vit import GpuVit
from operators.backbones.engines.graph_pool import recorded
from operators.backbones.machine import this_machine
from operators.bench.contestant import (
    INT8_COSINE,
    ROUNDED_COSINE,
    STREAM_COSINE,
    Absent,
    Contestant,
)
from operators.bench.gate import GateRed
from operators.bench.task import Task
from operators.errors import UsageError
from operators.frames import Features, FrameBatch, FrameInfo


def our_contestants(task: Task) -> Iterator[Contestant | Absent]:
    """All that this machine has, as the product runs them.

    Args:
        task: what they have to do.
    """
    return _on_cpu(task) if task.device.type == "cpu" else _on_gpu(task)


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


def _on_gpu(task: Task) -> Iterator[Contestant]:
    fused = fused_kernels(architecture(task.device)) if runs_triton(task.device) else ()
    vit = GpuVit(task.model(), task.device, torch.bfloat16, fused)
    run = vit.at((task.side, task.side))
    pixels = torch.from_numpy(task.pixels).to(task.device)

    @torch.inference_mode()
    def eager() -> Tensor:
        return run(pixels)[0]

    with torch.inference_mode():
        graph = recorded(run, pixels)

    def replayed() -> Tensor:
        return graph.again()[0]

    if not torch.equal(eager(), replayed()):
        # More sizes of frames than there are graphs go the one way or the other under one id.
        raise GateRed(f"a CUDA graph at {task.name} gives other bits than its kernels one by one")
    yield _of_tensors("ours, eager", eager)
    yield _of_tensors("ours, CUDA graph", replayed)


def _of_tensors(name: str, run: Callable[[], Tensor]) -> Contestant:
    return Contestant(name, run, lambda tokens: tokens, torch.bfloat16, STREAM_COSINE)
