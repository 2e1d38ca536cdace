"""Ground truth as JSON, and what is none."""

from __future__ import annotations

import json
import pickle

import pytest

from operators.errors import UsageError
from pipeline.search.revisited import Truth
from pipeline.search.truth_file import read_benchmark

GOOD = {
    "imlist": ["all_souls_000013", "b.png"],
    "qimlist": ["q"],
    "gnd": [{"easy": [0], "hard": [], "junk": [1], "bbx": [136.5, 34.1, 648.5, 955.7]}],
}


@pytest.fixture
def read(tmp_path, small_picture):
    for name in ("all_souls_000013.png", "b.png", "q.png"):
        small_picture(tmp_path / "jpg" / name, "bars")

    def read(said):
        file = tmp_path / "truth.json"
        file.write_text(json.dumps(said))
        return read_benchmark(file, tmp_path / "jpg", tmp_path / "jpg")

    return read


def test_it_is_read_as_the_public_files_are_made(read):
    benchmark = read(GOOD)
    assert [one.name for one in benchmark.gallery] == ["all_souls_000013.png", "b.png"]
    assert [one.name for one in benchmark.queries] == ["q.png"]
    assert benchmark.truths == (Truth((0,), (), (1,), (136.5, 34.1, 648.5, 955.7)),)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"imlist": ["nobody"]}, "has no picture nobody"),
        ({"qimlist": []}, "2 pictures, 0 queries and 1 truths"),
        ({"gnd": [{"easy": [0]}]}, r"gnd\[0\] is no truth"),
        ({"gnd": [GOOD["gnd"][0] | {"easy": [7]}]}, "no picture 7 in imlist, which has 2"),
        ({"gnd": [GOOD["gnd"][0] | {"bbx": [9, 9, 3, 20]}]}, "no left, top, right, bottom"),
        ({"gnd": 3}, "is no ground truth"),
        ({"imlist": None}, "is no ground truth"),
    ],
)
def test_what_is_no_truth_is_named(read, change, told):
    with pytest.raises(UsageError, match=told):
        read(GOOD | change)


def test_a_pickle_is_never_opened(tmp_path):
    opened = []

    class Trap:
        def __reduce__(self):
            return opened.append, (1,)

    file = tmp_path / "gnd.pkl"
    file.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(UsageError, match="is a pickle"):
        read_benchmark(file, tmp_path, tmp_path)
    assert opened == []
    with pytest.raises(UsageError, match="no such file"):
        read_benchmark(tmp_path / "none.json", tmp_path, tmp_path)
