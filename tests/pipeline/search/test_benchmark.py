"""Folders of pictures with their truths: what is the same is found, and queries are cut out."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from operators.errors import UsageError
from pipeline.search.benchmark import PIXELS, by_backbone, by_pixels, cut_out
from pipeline.search.revisited import Truth
from pipeline.search.truth_file import Benchmark
from tests.pipeline.conftest import painted


@pytest.fixture
def benchmark(tmp_path, small_picture):
    """Six pictures of three kinds; queries are larger ones, of which a part is what is asked for,
    and around it lies another kind."""
    kinds = ("bars", "rows", "dark")
    gallery = [
        small_picture(tmp_path / f"{kind}{n}.png", kind, n) for kind in kinds for n in (0, 8)
    ]
    queries = []
    for kind, other in zip(kinds, ("rows", "dark", "bars"), strict=True):
        sheet = np.tile(painted(other, 3), (3, 3, 1))
        sheet[48:96, 64:128] = painted(kind, 16)
        queries.append(tmp_path / f"q-{kind}.png")
        Image.fromarray(sheet).save(queries[-1])
    box = (64.2, 47.9, 128.0, 96.3)
    truths = tuple(Truth((2 * n,), (2 * n + 1,), (), box) for n in range(3))
    return Benchmark(tuple(gallery), tuple(queries), truths)


def test_what_is_the_same_is_found(benchmark, tiny_backbone, tmp_path):
    told = []
    measured = by_backbone(
        benchmark, tiny_backbone, tmp_path / "cache", short_side=28, tell=lambda *a: told.append(a)
    )
    assert measured.what == tiny_backbone.loaded.name
    assert {name: one.mean_ap.value for name, one in measured.protocols.items()} == {
        "easy": 1.0,
        "medium": 1.0,
        "hard": 1.0,
    }
    assert told == [(tiny_backbone.loaded.name, 6, 6)]
    pixels = by_pixels(benchmark)
    assert pixels.what == PIXELS
    assert pixels.protocols["medium"].queries == 3


def test_what_is_asked_for_is_cut_out(benchmark):
    part = cut_out(benchmark.queries[0], benchmark.truths[0])
    np.testing.assert_array_equal(part, painted("bars", 16))
    whole = cut_out(benchmark.queries[0], Truth((0,)))
    assert whole.shape == (144, 192, 3)
    with pytest.raises(UsageError, match=r"is 192x144, bbx .* is outside"):
        cut_out(benchmark.queries[0], Truth((0,), box=(500, 0, 600, 10)))
