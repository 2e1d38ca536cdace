"""Scenes are drawn once per run and shared: drawing a room's textures takes a third of a second."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from pipeline.synthetic.interior import furnished
from pipeline.synthetic.room import Room
from pipeline.synthetic.scene import Scene
from pipeline.synthetic.setting import Staged
from pipeline.synthetic.street import built_street
from pipeline.synthetic.uri import SceneSpec


@pytest.fixture(scope="session")
def scene() -> Callable[[int], Scene]:
    """The small clip of a seed: 160 x 90, 3 s, 10 frames/s."""

    @cache
    def opened(seed: int) -> Scene:
        return Scene(SceneSpec(seed=seed, seconds=3.0, fps=10, size_wh=(160, 90)))

    return opened


@pytest.fixture(scope="session")
def room() -> Callable[[int], Room]:
    return cache(Room)


@pytest.fixture(scope="session")
def staged() -> Callable[[int], Staged]:
    """A training clip of 2 s: an interior for even seeds, a street for odd ones."""

    @cache
    def built(seed: int) -> Staged:
        return (built_street if seed % 2 else furnished)(seed, 2.0)

    return built
