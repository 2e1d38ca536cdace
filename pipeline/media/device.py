"""Names of what may decode a stream."""

from __future__ import annotations

from typing import Literal

Device = Literal["cpu", "auto", "cuda"]
"""The CPU; the GPU where it can, else the CPU, which is said; the GPU or nothing."""
