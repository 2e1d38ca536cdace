"""A schema registry that answers beside a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pipeline.schemas.registry_server import RegistryServer
from tests.serving import serving


@pytest.fixture
def schema_registry() -> Iterator[RegistryServer]:
    with serving(RegistryServer()) as server:
        yield server
