"""What one would use instead: transformers as it comes, compiled, and exported to OpenVINO.

They get pixels that are normalised already; ours begin with bytes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from operators.bench.contestant import PEER_COSINE, Absent, Contestant
from operators.bench.peer_model import peer_model
from operators.bench.task import Task
from operators.engines.choice import choose_engine
from operators.errors import UsageError
from operators.machine import this_machine


def peer_contestants(task: Task, *, compiled: bool) -> Iterator[Contestant | Absent]:
    """All that this machine has.

    Args:
        task: what they have to do.
        compiled: with `torch.compile`, which takes a minute or more of its own.
    """
    reduced = _dtype(task)
    try:
        yield _transformers(task, "eager", torch.float32)
    except UsageError as error:
        yield Absent("Hugging Face", str(error))
        return
    for dtype in dict.fromkeys((torch.float32, reduced)):
        yield _transformers(task, "sdpa", dtype)
    if compiled:
        yield _compiled(task, reduced)
    if task.device.type == "cpu":
        yield _exported(task, reduced)


def _dtype(task: Task) -> torch.dtype:
    return choose_engine("torch", task.device, this_machine()).dtype


def _transformers(task: Task, attention: str, dtype: torch.dtype) -> Contestant:
    model = peer_model(task.arch, task.seed, attention).to(task.device, dtype)
    name = f"Hugging Face, {attention} {str(dtype).removeprefix('torch.')}"
    return Contestant(name, _call(task, model, dtype), lambda tokens: tokens, dtype, PEER_COSINE)


def _compiled(task: Task, dtype: torch.dtype) -> Contestant:
    model = peer_model(task.arch, task.seed, "sdpa").to(task.device, dtype)
    mode = "max-autotune" if task.device.type == "cuda" else "default"
    fast = torch.compile(model, mode=mode, dynamic=False)
    kind = str(dtype).removeprefix("torch.")
    name = f"Hugging Face, sdpa {kind}, torch.compile"
    return Contestant(name, _call(task, fast, dtype), lambda tokens: tokens, dtype, PEER_COSINE)


def _call(task: Task, model: Callable[..., Any], dtype: torch.dtype) -> Callable[[], Tensor]:
    pixels = task.normalised(dtype)

    @torch.inference_mode()
    def run() -> Tensor:
        if task.device.type == "cpu":
            torch.set_num_threads(task.cores)
        tokens: Tensor = model(pixels).last_hidden_state
        return tokens

    return run


def _exported(task: Task, dtype: torch.dtype) -> Contestant | Absent:
    name = f"OpenVINO of the export, {str(dtype).removeprefix('torch.')}"
    try:
        from operators.engines.openvino_library import ov
    except ImportError:
        return Absent(name, "openvino is not installed")
    pixels = task.normalised(torch.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing tells its authors' plans
        model = ov.convert_model(peer_model(task.arch, task.seed), example_input=pixels)
    model.reshape(list(pixels.shape))
    hint = {torch.float32: "f32", torch.bfloat16: "bf16"}[dtype]
    ready = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": hint})
    request = ready.create_infer_request()

    def run() -> Tensor:
        return torch.from_numpy(request.infer([pixels.numpy()], share_inputs=True)[0])

    return Contestant(name, run, lambda tokens: tokens.clone(), dtype, PEER_COSINE)
