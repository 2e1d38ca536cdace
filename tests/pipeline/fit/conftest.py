"""Clips of two kinds in their folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def two_kinds(tmp_path: Path, small_clip: Callable[..., Path]) -> Path:
    """A folder with two folders of three clips each."""
    for kind in ("bright", "dark"):
        for number in range(3):
            small_clip(tmp_path / "clips" / kind / f"{number}.mp4", kind, number=number)
    return tmp_path / "clips"
