"""Which of our fused kernels the backbone runs on a GPU: a static table per architecture.

What a card has measured comes first (`benchmarks/gpu.sh` says which rows to write here); until then
the one that moves fewer bytes runs, since none of them is limited by anything but memory. What is
chosen is part of a record's variant, so nothing is measured at the start of a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moved:
    """Bytes that a number of the result costs, in a bfloat16 product's dtype."""

    fused: int
    plain: int


# Read and written. norm: float32 in, bfloat16 out; plain LayerNorm writes float32 and is cast.
# add_norm: a float32 stream and a bfloat16 branch in, both of their kinds out; plain is a cast, a
# scaled sum, LayerNorm, a cast. patches: a byte in, bfloat16 out; plain sorts bytes, then casts.
# swiglu: gate and value in, one out; plain writes silu(gate) and reads it again.
MOVED: Mapping[str, Moved] = {
    "patches": Moved(3, 5),
    "norm": Moved(6, 14),
    "add_norm": Moved(12, 32),
    "swiglu": Moved(6, 10),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one card. Attributes: ratio: times as fast as plain torch in a CUDA graph; on: the day."""

    ratio: float
    on: str


MEASURED: Mapping[tuple[int, str], Measured] = {}
"""(10 x major + minor compute capability, kernel) -> what its card said."""


@dataclass(frozen=True, slots=True)
class FusedChoice:
    """Attributes: runs: the kernel, not plain torch; why: in words."""

    runs: bool
    why: str


def fused_choice(kernel: str, arch: int) -> FusedChoice:
    """Whether a kernel runs.

    Args:
        kernel: one of `MOVED`.
        arch: 10 x major + minor compute capability.
    """
    measured = MEASURED.get((arch, kernel))
    if measured:
        why = f"measured on {measured.on}: {measured.ratio:.2f}x of plain torch"
        return FusedChoice(measured.ratio > 1, why)
    moved = MOVED[kernel]
    ratio = moved.plain / moved.fused
    return FusedChoice(ratio > 1, f"predicted: {ratio:.1f}x fewer bytes than plain torch")


def fused_kernels(arch: int) -> tuple[str, ...]:
    """Those that run."""
    return tuple(kernel for kernel in MOVED if fused_choice(kernel, arch).runs)


def fused_in_words(arch: int) -> str:
    """What runs and what does not, and why."""
    rows = ((kernel, fused_choice(kernel, arch)) for kernel in MOVED)
    return ", ".join(
        f"{kernel} {'runs' if row.runs else 'does not run'} ({row.why})" for kernel, row in rows
    )
