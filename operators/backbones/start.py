"""A loaded backbone on the best device that this machine has."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from operators.backbones.architectures import Architecture
from operators.backbones.backbone import Backbone
from operators.backbones.engines.choice import Choice, choose_engine
from operators.backbones.engines.swin_engine import choose_swin_engine
from operators.backbones.loaded import LoadedBackbone
from operators.backbones.machine import Machine, this_machine
from operators.backbones.precision import Precision

BATCHES = {"cpu": 8, "cuda": 64}  # frames: a CPU has one in each thread, a GPU is filled by many


def start_backbone(
    loaded: LoadedBackbone,
    *,
    blocks: Sequence[int],
    batch_size: int | None = None,
    threads: int | None = None,
    backend: str = "auto",
    heads_precision: str = "float32",
) -> Backbone:
    """Put it there: on the GPU, or on all cores of the CPU with its fastest backend.

    Args:
        loaded: what `load_backbone` gave.
        blocks: whose output its features shall hold, from 0, in any order.
        batch_size: B of the features; that of the device in `BATCHES` where None.
        threads: of a CPU; one per core where None.
        backend: what computes on a CPU, see `choose_engine`.
        heads_precision: of dense heads on a GPU, a value of `Precision`.

    Raises:
        UsageError: a backend or a precision that this machine does not have, or a backend that
            spoils the weights or cannot run the model.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    machine, heads = this_machine(), Precision(heads_precision)
    return Backbone(
        loaded,
        blocks=blocks,
        batch_size=batch_size or BATCHES[device.type],
        threads=threads or machine.cores,
        device=device,
        choice=choose_for(loaded.model.architecture, backend, device, machine, heads),
    )


def choose_for(
    arch: Architecture,
    backend: str,
    device: torch.device,
    machine: Machine,
    heads: Precision = Precision.FLOAT32,
) -> Choice:
    """The engine of an architecture; the other arguments and errors are of `choose_engine`."""
    if arch.pyramid:
        return choose_swin_engine(arch, backend, device, heads)
    return choose_engine(backend, device, machine, heads)
