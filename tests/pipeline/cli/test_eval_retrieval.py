"""`dinostream eval retrieval` on folders, beside random weights and pixels."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def folders(tmp_path, small_picture):
    """Two pictures of each of three kinds, and a query of each."""
    kinds = ("bars", "rows", "dark")
    for kind in kinds:
        for number in (0, 8):
            small_picture(tmp_path / "gallery" / f"{kind}{number}.png", kind, number)
        small_picture(tmp_path / "queries" / f"{kind}.png", kind, 16)
    truth = {
        "imlist": [f"{kind}{number}" for kind in kinds for number in (0, 8)],
        "qimlist": [*kinds],
        "gnd": [{"easy": [2 * n], "hard": [2 * n + 1], "junk": []} for n in range(3)],
    }
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    return ("--gallery", "gallery", "--queries", "queries", "--truth", "truth.json")


@pytest.mark.slow
def test_every_kind_is_found_and_random_weights_stand_beside(dinostream, folders):
    small = ("--weights", "demo", "--short-side", "28", "--cache", "cache")
    done = dinostream("eval", "retrieval", *folders, *small, "--json")
    assert done.returncode == 0, done.stderr
    own, beside, pixels = json.loads(done.stdout)
    assert own["what"] != beside["what"]
    assert pixels["what"] == "8x8 pixels"
    for one in (own, beside, pixels):
        assert one["protocols"].keys() == {"easy", "medium", "hard"}
        assert one["protocols"]["easy"]["queries"] == 3
    assert beside["protocols"]["medium"]["mean_ap"]["value"] == 1.0
    told = dinostream("eval", "retrieval", *folders, *small)
    assert told.stdout.startswith("3 queries, 6 pictures\neasy: mean average precision\n")
    assert told.stdout.count("(random weights)") == 3


def test_a_truth_that_is_not_there_is_named(dinostream, folders):
    done = dinostream("eval", "retrieval", *folders[:4], "--truth", "none.json")
    assert done.returncode == 2
    assert "none.json: no such file of ground truth" in done.stderr


def test_pixels_are_there_already(dinostream, folders):
    done = dinostream("eval", "retrieval", *folders, "--weights", "demo", "--beside", "pixels:8x8")
    assert done.returncode == 2
    assert "a few pixels stand beside every eval retrieval" in done.stderr
