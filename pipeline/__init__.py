"""How frames and results move: sources, decoding, batching, sinks, runtimes, the command line."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.client.subscription import subscribe
    from pipeline.push.push import Push

__all__ = ["Push", "subscribe"]

# Imported when they are asked for: each brings what the others do without.
_PUBLIC = {"Push": "pipeline.push.push", "subscribe": "pipeline.client.subscription"}


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        try:
            return getattr(importlib.import_module(_PUBLIC[name]), name)
        except ModuleNotFoundError as error:
            if error.name != "pipeline.push":
                raise
            # dinostream-client has no sources.
            raise AttributeError(f"{name} comes with dinostream, not with its client") from None
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
