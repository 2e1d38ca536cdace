"""Settings as users get them wrong."""

from __future__ import annotations

from typing import Any

import pytest

from operators.errors import UsageError
from operators.settings import Settings

ALLOWED = ("map_scale", "domain", "min_share", "blur")


def test_what_is_given_and_what_is_not() -> None:
    settings = Settings("depth", {"map_scale": 2, "min_share": 1}, ALLOWED)
    assert settings.whole("map_scale", 4, low=1, high=14) == 2
    assert settings.choice("domain", "nyu", ("nyu", "kitti")) == "nyu"
    assert settings.share("min_share", 0.5) == 1.0
    assert settings.names("blur") == ()


def test_an_unknown_one_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"depth has no setting 'map_scal'; did you mean map_sca"):
        Settings("depth", {"map_scal": 2}, ALLOWED)
    with pytest.raises(UsageError, match=r"there is none like it\. Settings: none"):
        Settings("embedding", {"quux": 2}, ())


@pytest.mark.parametrize("value", [0, 15, 2.0, "4", True, None])
def test_whole_numbers_only_within_bounds(value: Any) -> None:
    settings = Settings("depth", {"map_scale": value}, ALLOWED)
    with pytest.raises(
        UsageError, match="depth: map_scale must be a whole number from 1 to 14, go"
    ):
        settings.whole("map_scale", 4, low=1, high=14)


@pytest.mark.parametrize("value", [-0.1, 1.1, "a", True, float("nan")])
def test_shares_only_within_bounds(value: Any) -> None:
    with pytest.raises(UsageError, match="min_share must be a number from 0 to 1"):
        Settings("depth", {"min_share": value}, ALLOWED).share("min_share", 0.5)


def test_words_only_from_the_list() -> None:
    with pytest.raises(UsageError, match="domain must be one of nyu, kitti, got 'mars'"):
        Settings("depth", {"domain": "mars"}, ALLOWED).choice("domain", "nyu", ("nyu", "kitti"))


@pytest.mark.parametrize("value", ["person", 3, None, [""], ["person", 3], {"person": True}])
def test_names_only_as_a_list(value: Any) -> None:
    with pytest.raises(UsageError, match=r"blur must be a list of names, such as \[person, car\]"):
        Settings("frames", {"blur": value}, ALLOWED).names("blur")
    assert Settings("frames", {"blur": ["car", "person"]}, ALLOWED).names("blur") == (
        "car",
        "person",
    )
