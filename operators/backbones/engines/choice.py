"""Which engine a machine gets, and why.

What the user wishes and what the machine has in -> a name, a dtype and the reason out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import torch

from kernels.device import architecture
from kernels.tiles import MIN_ARCH
from operators.backbones.engines.check import check_int8
from operators.backbones.engines.engine import BackboneEngine
from operators.backbones.engines.folded import FoldedVit
from operators.backbones.engines.ranges import measured_ranges
from operators.backbones.machine import Machine
from operators.backbones.model import Model
from operators.backbones.precision import Precision
from operators.backbones.swin import SwinTransformer
from operators.errors import UsageError

INT8 = "openvino-int8"
ENGINES = ("auto", "torch", "openvino", INT8)
_AMD = "AuthenticAMD"
_VNNI = ("avx512_vnni", "avx_vnni", "amx_int8")
_INSTALL = "pip install openvino, or install dinostream with the extra: pip install '.[cpu]'"


@dataclass(frozen=True, slots=True)
class Choice:
    """One engine.

    Attributes:
        name: torch, openvino or openvino-int8.
        dtype: of matrix products; for openvino-int8 of those that are not int8.
        why: in words.
        heads: products of dense heads on a GPU; on a CPU they are of `dtype`.
    """

    name: str
    dtype: torch.dtype
    why: str
    heads: Precision = Precision.FLOAT32


EXACT = Choice("torch", torch.float32, "torch in float32, as reference")


def choose_engine(
    wish: str,
    device: torch.device,
    machine: Machine,
    heads: Precision = Precision.FLOAT32,
) -> Choice:
    """Take what was asked for, or the fastest that is there.

    Args:
        wish: one of `ENGINES`.
        device: where the backbone runs.
        machine: this one.
        heads: what products of dense heads shall be.

    Raises:
        UsageError: no such engine, one that is not installed, or one that this GPU or processor
            does not have; or products of heads that it does not have.
    """
    if wish not in ENGINES:
        raise UsageError(f"engine must be one of {', '.join(ENGINES)}, got {wish!r}")
    _refuse_heads(heads, device)
    if device.type != "cpu":
        if wish in ("openvino", INT8):
            raise UsageError(f"the engine {wish} is for CPUs, this runs on {device}; take auto")
        return Choice("torch", torch.bfloat16, f"torch with our kernels on {device}", heads)
    installed = find_spec("openvino") is not None
    if wish in ("openvino", INT8) and not installed:
        raise UsageError(f"the engine {wish} is not installed: {_INSTALL}")
    dtype, rounding = _dtype(machine)
    if wish == INT8:
        return Choice(INT8, dtype, f"{INT8}, as asked for; {_vnni(machine)}; else {rounding}")
    name = "torch" if wish == "torch" or not installed else "openvino"
    return Choice(name, dtype, f"{_reason(name, wish, installed)}; {rounding}")


def build_engine(
    choice: Choice,
    model: Model,
    blocks: Sequence[int],
    *,
    threads: int,
    cores: int = 1,
    weights: str = "weights without a name",
) -> BackboneEngine:
    """The chosen engine of a CPU.

    Args:
        choice: from `choose_engine`.
        model: float32, on the CPU; of a Swin its one engine is taken, whatever the choice.
        blocks: whose output is wanted as well.
        threads: that will ask at a time; nothing depends on it.
        cores: for each of them.
        weights: their name, for what is said of them.

    Raises:
        UsageError: these weights do not survive int8.
    """
    if isinstance(model, SwinTransformer):
        from operators.backbones.engines.swin_engine import SwinEngine

        return SwinEngine(model, blocks, cores=cores)
    if choice.name in ("openvino", INT8):
        from operators.backbones.engines.openvino_engine import OpenVinoEngine

        folded = FoldedVit(model)
        if choice.name == INT8:
            ranges = measured_ranges(folded, threads=threads)
            engine = OpenVinoEngine(folded, blocks, choice.dtype, ranges, cores=cores)
            check_int8(engine, model, weights)
            return engine
        return OpenVinoEngine(folded, blocks, choice.dtype, cores=cores)
    from operators.backbones.engines.torch_engine import TorchEngine

    return TorchEngine(model, blocks, choice.dtype, cores=cores)


def _refuse_heads(heads: Precision, device: torch.device) -> None:
    """
    Raises:
        UsageError: this device does not multiply like that.
    """
    if heads is Precision.FLOAT32:
        return
    said = f"heads_precision {heads.value} is for NVIDIA GPUs of compute capability 8.0 and newer"
    if device.type != "cuda" or torch.version.hip is not None:
        other = "a torch for ROCm" if device.type == "cuda" else f"the {device}"
        raise UsageError(f"{said}, this is {other}; leave it out, or take float32")
    if (arch := architecture(device)) < MIN_ARCH:
        raise UsageError(f"{said}, this one has {arch / 10}; leave it out, or take float32")


def _dtype(machine: Machine) -> tuple[torch.dtype, str]:
    """Of products. Measured without AMX: avx512_bf16 multiplies 2.7 times as fast as float32 on a
    Zen 4 of AMD, half as fast on an Emerald Rapids of Intel (docs/decisions/cpu.md)."""
    for name, pays in (("amx_bf16", True), ("avx512_bf16", machine.vendor == _AMD)):
        if pays and name in machine.features:
            return torch.bfloat16, f"bfloat16, this processor has {name}"
    if "avx512_bf16" in machine.features:
        return torch.float32, "float32, on this processor faster than bfloat16 (avx512_bf16 alone)"
    return torch.float32, "float32, this processor has neither avx512_bf16 nor amx_bf16"


def _vnni(machine: Machine) -> str:
    """
    Raises:
        UsageError: it has none of `_VNNI`. Measured on one with AVX2 alone: int8 took 1.2 times
            as long as float32 at 224 px, 1.3 times at 518.
    """
    found = [name for name in _VNNI if name in machine.features]
    if not found:
        raise UsageError(
            f"the engine {INT8} needs a processor with instructions for int8 products, one of "
            f"{', '.join(_VNNI)}; this one has {', '.join(machine.features) or 'no such features'}"
            ", where int8 is slower than float32; take auto"
        )
    return f"int8, this processor has {found[-1]}"


def _reason(name: str, wish: str, installed: bool) -> str:
    if wish != "auto":
        return f"{name}, as asked for"
    return name if installed else f"torch; faster on most CPUs: {_INSTALL}"
