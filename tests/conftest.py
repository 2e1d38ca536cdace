"""What tests of every package share: the real clips that lie beside a checkout."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

# Test processes share the cores: threads that spin while they wait would take them from those that
# work. OpenMP reads this when torch is first imported, which is after this line.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

SHARED = Path(os.environ.get("DINOSTREAM_SHARED", Path(__file__).parents[2] / "shared"))
MEDIA = SHARED / "media"


def pytest_configure() -> None:
    """Let Ctrl-C reach what tests start: a shell ignores it for its background jobs, and a process
    that was born ignoring a signal goes on doing so."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with `media` and `tools`; DINOSTREAM_SHARED names it."""
    if not SHARED.is_dir():
        pytest.skip(f"nothing shared at {SHARED}; DINOSTREAM_SHARED names the folder")
    return SHARED


@pytest.fixture(scope="session")
def shared_media() -> Path:
    """Folder with `videos` and `corrupt`, real clips; DINOSTREAM_SHARED names its parent."""
    if not MEDIA.is_dir():
        pytest.skip(
            f"no real clips at {MEDIA}; DINOSTREAM_SHARED names the folder that holds media"
        )
    return MEDIA


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`clip` is each real video, `broken_clip` each broken one."""
    for name, folder in (("clip", "videos"), ("broken_clip", "corrupt")):
        if name in metafunc.fixturenames:
            files = sorted((MEDIA / folder).glob("*"))
            absent = pytest.param(None, marks=pytest.mark.skip(f"no real clips at {MEDIA}"))
            names = [path.name for path in files] or ["none"]
            # Session scope runs the tests of one clip after each other: what one decoded is cached.
            metafunc.parametrize(name, files or [absent], ids=names, scope="session")
