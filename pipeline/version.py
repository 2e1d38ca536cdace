"""Which version of dinostream this is."""

from __future__ import annotations

import importlib.metadata


def version() -> str:
    """Of the installed distribution, or that there is none."""
    try:
        return importlib.metadata.version("dinostream")
    except importlib.metadata.PackageNotFoundError:
        return "(a checkout that is not installed)"
