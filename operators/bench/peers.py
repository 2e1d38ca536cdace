"""What one would use instead: transformers as it comes, compiled, and exported to OpenVINO; on a
GPU also a plain model, which needs torch alone.

They get pixels that are normalised already; ours begin with bytes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from operators.backbones.engines.choice import choose_engine
from operators.backbones.machine import this_machine
from operators.bench.contestant import PEER_COSINE, Absent, Contestant
from operators.bench.peer_model import peer_model
from operators.bench.plain_model import plain_model
from operators.bench.task import Task
from operators.errors import UsageError

PLAIN = "plain torch"
Tokens = Callable[[Tensor], Tensor]
"""Normalised pixels `[B, 3, H, W]` -> tokens `[B, N, D]`."""


def peer_contestants(task: Task, *, compiled: bool) -> Iterator[Contestant | Absent]:
    """All that this machine has.

    Args:
        task: what they have to do.
        compiled: with `torch.compile`, which takes a minute or more of its own.
    """
    reduced = _dtype(task)
    if task.device.type == "cuda":
        yield from _plain(task, reduced, compiled=compiled)
    try:
        yield _transformers(task, "eager", torch.float32)
    except UsageError as error:
        yield Absent("Hugging Face", str(error))
        return
    for dtype in dict.fromkeys((torch.float32, reduced)):
        yield _transformers(task, "sdpa", dtype)
    if compiled:
        yield _compiled(task, "Hugging Face", _last_hidden(task, reduced), reduced)
    if task.device.type == "cpu":
        yield _exported(task, reduced)


def _dtype(task: Task) -> torch.dtype:
    return choose_engine("torch", task.device, this_machine()).dtype


def _plain(task: Task, dtype: torch.dtype, *, compiled: bool) -> Iterator[Contestant]:
    model = plain_model(task.model()).to(task.device, dtype)

    def tokens(pixels: Tensor) -> Tensor:
        found: Tensor = model(pixels)[0]
        return found

    name = f"{PLAIN}, sdpa {str(dtype).removeprefix('torch.')}"
    yield _of_tensors(name, _call(task, tokens, dtype), dtype)
    if compiled:
        yield _compiled(task, PLAIN, tokens, dtype)


def _transformers(task: Task, attention: str, dtype: torch.dtype) -> Contestant:
    tokens = _last_hidden(task, dtype, attention)
    name = f"Hugging Face, {attention} {str(dtype).removeprefix('torch.')}"
    return _of_tensors(name, _call(task, tokens, dtype), dtype)


def _last_hidden(task: Task, dtype: torch.dtype, attention: str = "sdpa") -> Tokens:
    model = peer_model(task.arch, task.tensors, attention).to(task.device, dtype)

    def tokens(pixels: Tensor) -> Tensor:
        found: Tensor = model(pixels).last_hidden_state
        return found

    return tokens


def _compiled(task: Task, whose: str, tokens: Tokens, dtype: torch.dtype) -> Contestant:
    mode = "max-autotune" if task.device.type == "cuda" else "default"
    fast = torch.compile(tokens, mode=mode, dynamic=False)
    name = f"{whose}, sdpa {str(dtype).removeprefix('torch.')}, torch.compile"
    return _of_tensors(name, _call(task, fast, dtype), dtype)


def _call(task: Task, tokens: Tokens, dtype: torch.dtype) -> Callable[[], Tensor]:
    pixels = task.normalised(dtype)

    @torch.inference_mode()
    def run() -> Tensor:
        if task.device.type == "cpu":
            torch.set_num_threads(task.cores)
        return tokens(pixels)

    return run


def _of_tensors(name: str, run: Callable[[], Tensor], dtype: torch.dtype) -> Contestant:
    return Contestant(name, run, lambda tokens: tokens, dtype, PEER_COSINE)


def _exported(task: Task, dtype: torch.dtype) -> Contestant | Absent:
    name = f"OpenVINO of the export, {str(dtype).removeprefix('torch.')}"
    try:
        from operators.backbones.engines.openvino_library import core, ov
    except ImportError:
        return Absent(name, "openvino is not installed")
    pixels = task.normalised(torch.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing tells its authors' plans
        model = ov.convert_model(peer_model(task.arch, task.tensors), example_input=pixels)
    model.reshape(list(pixels.shape))
    hint = {torch.float32: "f32", torch.bfloat16: "bf16"}[dtype]
    ready = core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": hint})
    request = ready.create_infer_request()

    def run() -> Tensor:
        return torch.from_numpy(request.infer([pixels.numpy()], share_inputs=True)[0])

    return Contestant(name, run, lambda tokens: tokens.clone(), dtype, PEER_COSINE)
