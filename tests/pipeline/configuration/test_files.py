"""The files of a configuration, found and replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from operators.weights.cache import default_cache_dir
from operators.weights.catalogue import official_backbone
from pipeline.configuration.config import Config
from pipeline.configuration.files import NamedFile, files_of, with_files
from pipeline.configuration.resolve import resolve


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def config(**more: object) -> Config:
    return resolve(None, {"sources": ["synthetic:room"], "operators": ["depth"], **more})


@pytest.mark.parametrize("weights", ["demo", "random"])
def test_what_ships_or_is_drawn_is_no_file(weights: str) -> None:
    assert files_of(config(weights=weights)) == []


def test_what_is_not_here_is_left_to_the_engines() -> None:
    assert files_of(config(weights="/mnt/weights.pth", heads={"depth": "/mnt/head.pth"})) == []


def test_each_is_found_under_its_key(home: Path) -> None:
    for name in ("own.pth", "head.pth", "places.json"):
        (home / name).touch()
    found = files_of(
        config(weights="own.pth", heads={"depth": "~/head.pth"}, calibrations="places.json")
    )
    assert found == [
        NamedFile("weights", home / "own.pth", False),
        NamedFile("heads.depth", home / "head.pth", False),
        NamedFile("calibrations", home / "places.json", False),
    ]


def test_an_official_file_is_one_once_it_is_fetched() -> None:
    assert files_of(config(weights="auto")) == []
    fetched = default_cache_dir() / official_backbone("dinov2_vits14").file_name
    fetched.parent.mkdir(parents=True)
    fetched.touch()
    assert files_of(config(weights="auto")) == [NamedFile("weights", fetched, True)]


def test_they_are_replaced_where_they_are_named() -> None:
    asked = config(weights="a.pth", heads={"depth": "b.pth"}, calibrations="c.json")
    there = with_files(asked, {"weights": Path("/x/a.pth"), "heads.depth": Path("/x/b.pth")})
    assert (there.weights, there.heads, there.calibrations) == (
        "/x/a.pth",
        {"depth": "/x/b.pth"},
        "c.json",
    )
