"""Products that a file has apart: joined where they fit, else left for the strict check to name."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from operators.weights.joining import join

PARTS = ("q", "k", "v")


def test_parts_are_joined_in_their_order() -> None:
    named = {
        name: torch.full((1, 2), value) for name, value in zip("vkqx", (3, 2, 1, 0), strict=True)
    }
    join(named, PARTS, "qkv")
    assert named.keys() == {"qkv", "x"}
    assert named["qkv"].tolist() == [[1, 1], [2, 2], [3, 3]]


@pytest.mark.parametrize(
    "odd",
    [{}, {"k": torch.tensor(1.0)}, {"k": torch.ones(2, 3)}, {"k": torch.ones(2)}],
    ids=["missing", "a number", "another width", "a row"],
)
def test_what_does_not_fit_keeps_its_name(odd: dict[str, Tensor]) -> None:
    given = {"q": torch.ones(2, 2), "v": torch.ones(2, 2)} | odd
    named = dict(given)
    join(named, PARTS, "qkv")
    assert named == given
