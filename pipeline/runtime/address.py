"""Which Ray cluster a job is for. Knows no Ray."""

from __future__ import annotations

import os

LOCAL = "local"  # a new one, here, for this job


def cluster_address(given: str | None) -> str:
    """The address that was given, else what RAY_ADDRESS says, else `LOCAL`."""
    return given or os.environ.get("RAY_ADDRESS") or LOCAL
