"""Swin run by torch on the calling thread, and the only engine that it has.

Not folded and in float32 throughout: its windows of 49 tokens have no kernel and no graph of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from operators.backbones.architectures import Architecture
from operators.backbones.engines.calling_thread import CallingThread
from operators.backbones.engines.choice import Choice
from operators.backbones.engines.engine import Tokens, on
from operators.backbones.precision import Precision
from operators.backbones.preprocess import normalise
from operators.backbones.swin import SwinTransformer
from operators.errors import UsageError

_DTYPE = torch.float32
_WISHES = ("auto", "torch")


class SwinEngine(CallingThread):
    """Implements `operators.backbones.engines.engine.BackboneEngine`."""

    def __init__(self, swin: SwinTransformer, blocks: Sequence[int], *, cores: int = 1) -> None:
        """
        Args:
            swin: float32, on the CPU; not changed.
            blocks: stages whose map is wanted as well.
            cores: that one caller may use; above 1, bits may depend on it.
        """
        super().__init__(partial(_tokens, swin, tuple(blocks)), cores=cores)
        self.identity = f"torch {torch.__version__}, swin, float32{on(cores)}"


def _tokens(swin: SwinTransformer, blocks: Sequence[int], pixels: Tensor) -> Tokens:
    tokens: Tokens = swin(normalise(pixels, _DTYPE), blocks)
    return tokens


def in_words(device: torch.device) -> str:
    """What a machine's device has for it."""
    return f"Swin: {'torch in float32' if device.type == 'cpu' else f'not on {device}'}"


def choose_swin_engine(
    arch: Architecture, wish: str, device: torch.device, heads: Precision = Precision.FLOAT32
) -> Choice:
    """Its one engine, where it can be had.

    Args:
        arch: a Swin.
        wish: what the user asked for, one of `operators.backbones.engines.choice.ENGINES`.
        device: where the backbone shall run.
        heads: what products of dense heads shall be.

    Raises:
        UsageError: another engine, a GPU, or products of heads that are a GPU's.
    """
    own = f"{arch.name} is run by torch in float32 on CPUs alone"
    if device.type != "cpu":
        raise UsageError(
            f"{own}: its window attention has no kernel here, and this would run on {device}; take "
            "a DINOv2, or hide the GPU: CUDA_VISIBLE_DEVICES= before the command"
        )
    if wish not in _WISHES:
        raise UsageError(f"{own}, got the engine {wish!r}; take {' or '.join(_WISHES)}")
    if heads is not Precision.FLOAT32:
        raise UsageError(f"{own}, and heads_precision {heads.value} is a GPU's; leave it out")
    return Choice("torch", _DTYPE, "torch in float32, the only engine of Swin")
