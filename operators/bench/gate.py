"""The gate before every figure of a benchmark."""

from __future__ import annotations

from operators.errors import DinostreamError


class GateRed(DinostreamError):
    """The contestants do not do the same work, so nothing can be compared."""
