"""How frames and results move: sources, decoding, batching, sinks, runtimes, the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.push.push import Push

__all__ = ["Push"]


def __getattr__(name: str) -> object:
    """`Push` is imported when it is asked for: it brings libav."""
    if name == "Push":
        from pipeline.push.push import Push

        return Push
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
