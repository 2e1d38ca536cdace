"""What tests of every package share: the real clips that lie beside a checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_media() -> Path:
    """Folder with `videos` and `corrupt`, real clips; DINOSTREAM_SHARED names its parent."""
    beside = Path(__file__).parents[2] / "shared"
    media = Path(os.environ.get("DINOSTREAM_SHARED", beside)) / "media"
    if not media.is_dir():
        pytest.skip(
            f"no real clips at {media}; DINOSTREAM_SHARED names the folder that holds media"
        )
    return media
