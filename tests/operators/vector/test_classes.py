"""Classes of a head: order, thresholds, and what a header may say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from operators.errors import WeightsError
from operators.vector.classes import Classes, head_classes, imagenet_classes
from operators.weights.heads import Head


def test_the_highest_come_first_and_equal_ones_by_id() -> None:
    scores = np.array([0.1, 0.4, 0.1, 0.4], dtype=np.float32)
    best = Classes(("a", "b", "c", "d")).best(scores, 3)
    assert [(one["id"], one["name"]) for one in best] == [(1, "b"), (3, "d"), (0, "a")]
    assert best[0]["score"] == 0.4


def test_a_head_may_say_nothing() -> None:
    classes = Classes(("a", "b", "c"), (0.5, 0.2, 0.0))
    assert classes.best(np.array([0.45, 0.15, 0.4], dtype=np.float32), 1) == []
    said = classes.best(np.array([0.5, 0.3, 0.2], dtype=np.float32), 2)
    assert [one["name"] for one in said] == ["a", "b"]


def test_imagenets_names() -> None:
    names = imagenet_classes().names
    assert len(set(names)) == len(names) == 1000
    assert [names[id_] for id_ in (0, 1, 207, 281, 980, 999)] == [
        *("tench", "goldfish", "golden retriever", "tabby", "volcano", "toilet tissue")
    ]


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({}, "its header must list labels"),
        ({"labels": "cat"}, "its header must list labels"),
        ({"labels": []}, "want the names of the classes"),
        ({"labels": ["cat", 3]}, "want the names of the classes"),
        ({"labels": ["cat", "dog"], "thresholds": [0.5]}, "a threshold for each of 2 classes"),
        ({"labels": ["cat"], "thresholds": ["high"]}, "thresholds must be numbers from 0"),
        ({"labels": ["cat"], "thresholds": [-0.1]}, "thresholds must be numbers from 0"),
        ({"labels": ["cat"], "thresholds": 0.5}, "thresholds in its header must be a list"),
    ],
)
def test_a_header_that_says_nonsense_names_the_file(facts: dict[str, Any], message: str) -> None:
    with pytest.raises(WeightsError, match=rf"mine\.safetensors: classify head: .*{message}"):
        head_classes(Head("classify", "mine.safetensors", {}, "a" * 64, facts))
