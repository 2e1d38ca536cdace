"""Where timm is, and where it is not."""

from __future__ import annotations

from importlib.util import find_spec

import pytest


@pytest.fixture(scope="session")
def timm():
    """The library that computes peers."""
    if find_spec("timm") is None:
        pytest.skip("timm is not installed; it is in the extra `peers`")
    import timm

    return timm
