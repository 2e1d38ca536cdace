"""Which engine a machine gets, and why.

What the user wishes and what the machine has in -> a name, a dtype and the reason out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import torch

from operators.engines.engine import Engine
from operators.errors import UsageError
from operators.machine import Machine
from operators.vit import VisionTransformer

ENGINES = ("auto", "torch", "openvino")
_BFLOAT16 = ("avx512_bf16", "amx_bf16")
_INSTALL = "pip install openvino, or install dinostream with the extra: pip install '.[cpu]'"


@dataclass(frozen=True, slots=True)
class Choice:
    """One engine.

    Attributes:
        name: torch or openvino.
        dtype: of matrix products.
        why: in words.
    """

    name: str
    dtype: torch.dtype
    why: str


EXACT = Choice("torch", torch.float32, "torch in float32, as reference")


def choose_engine(wish: str, device: torch.device, machine: Machine) -> Choice:
    """Take what was asked for, or the fastest that is there.

    Args:
        wish: one of `ENGINES`.
        device: where the backbone runs.
        machine: this one.

    Raises:
        UsageError: no such engine, one that is not installed, or one that a GPU does not have.
    """
    if wish not in ENGINES:
        raise UsageError(f"engine must be one of {', '.join(ENGINES)}, got {wish!r}")
    if device.type != "cpu":
        if wish == "openvino":
            raise UsageError(f"the engine openvino is for CPUs, this runs on {device}; take auto")
        return Choice("torch", torch.bfloat16, f"torch with our kernels on {device}")
    installed = find_spec("openvino") is not None
    if wish == "openvino" and not installed:
        raise UsageError(f"the engine openvino is not installed: {_INSTALL}")
    name = "torch" if wish == "torch" or not installed else "openvino"
    dtype, rounding = _dtype(machine)
    return Choice(name, dtype, f"{_reason(name, wish, installed)}; {rounding}")


def build_engine(
    choice: Choice,
    vit: VisionTransformer,
    blocks: Sequence[int],
    *,
    streams: int,
) -> Engine:
    """The chosen engine of a CPU.

    Args:
        choice: from `choose_engine`.
        vit: float32, on the CPU.
        blocks: whose output is wanted as well.
        streams: frames at a time.
    """
    if choice.name == "openvino":
        from operators.engines.openvino_engine import OpenVinoEngine

        return OpenVinoEngine(vit, blocks, choice.dtype, streams=streams)
    from operators.engines.torch_engine import TorchEngine

    return TorchEngine(vit, blocks, choice.dtype)


def _dtype(machine: Machine) -> tuple[torch.dtype, str]:
    found = [name for name in _BFLOAT16 if name in machine.features]
    if found:
        return torch.bfloat16, f"bfloat16, this processor has {found[-1]}"
    return torch.float32, f"float32, this processor has neither {' nor '.join(_BFLOAT16)}"


def _reason(name: str, wish: str, installed: bool) -> str:
    if wish != "auto":
        return f"{name}, as asked for"
    return name if installed else f"torch; faster on most CPUs: {_INSTALL}"
