"""Corpora of small pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.pretrain.corpus import Corpus
from pipeline.pretrain.gather import Gathered, gather
from pipeline.pretrain.rules import Rules


def untold(share: float | None, so_far: str) -> None:
    """Nobody listens."""


@pytest.fixture(scope="session", name="gathered")
def gathered_fixture() -> Callable[..., Gathered]:
    """`gathered(folder, source, ..., every_s=1.0)`: the corpus that sources give."""

    def gathered(
        folder: Path, *sources: Path | str, tell: Any = untold, threads: int = 1, **rules: Any
    ) -> Gathered:
        names = [str(one) for one in sources]
        return gather(names, folder, Rules(**rules), run=folder, tell=tell, threads=threads)

    return gathered


@pytest.fixture(scope="session")
def pictures(
    gathered: Callable[..., Gathered],
    small_picture: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Corpus:
    """Of 24 picture files in three folders, none like another one."""
    place = tmp_path_factory.mktemp("pictures")
    for number in range(24):
        small_picture(place / f"photos/{number % 3}/{number:02d}.png", "noise", number)
    return gathered(place / "corpus", place / "photos", keep_copies=True).corpus
