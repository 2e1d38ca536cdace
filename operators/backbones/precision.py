"""How far dense heads round what they multiply: a name in -> dtype, layout, torch's switches out.

On a CPU their linear layers follow the backbone; on a GPU a user chooses (docs/configuration.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

import torch


class Precision(Enum):
    """What products are made of: float32, or what a GPU's matrix units take."""

    FLOAT32 = "float32"
    TF32 = "tf32"
    BFLOAT16 = "bfloat16"

    @classmethod
    def of(cls, dtype: torch.dtype) -> Precision:
        """The one that rounds to a dtype."""
        return cls(str(dtype).removeprefix("torch."))

    @property
    def dtype(self) -> torch.dtype:
        """Of what is multiplied; TF32 is a way to multiply float32."""
        return torch.bfloat16 if self is Precision.BFLOAT16 else torch.float32

    @property
    def layout(self) -> torch.memory_format:
        """Of what is convolved. Matrix units read channels last, plain ones channels first."""
        if self is Precision.FLOAT32:
            return torch.contiguous_format
        return torch.channels_last

    @contextmanager
    def on(self, device: torch.device) -> Iterator[None]:
        """While products are launched. cuDNN convolves float32 in TF32 unless it is told not to,
        and by what is fastest that day; cuBLAS multiplies in float32 unless it is told not to."""
        if device.type != "cuda":
            yield
            return
        rounds, cublas = self is Precision.TF32, torch.backends.cuda.matmul
        before, cublas.allow_tf32 = cublas.allow_tf32, rounds
        try:
            with torch.backends.cudnn.flags(
                enabled=True, benchmark=False, deterministic=True, allow_tf32=rounds
            ):
                yield
        finally:
            cublas.allow_tf32 = before
