"""`dinostream bench backbone` as a process."""

import json

import pytest

SMALL = ("--model", "dinov2_vitti14", "--size", "28x2", "--rounds", "1", "--no-compile")


@pytest.mark.slow
def test_it_prints_and_keeps_a_report(dinostream, tmp_path):
    pytest.importorskip("transformers", reason="nothing to compare with")
    done = dinostream("bench", "backbone", *SMALL, "--out", "kept/report.json", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert json.loads((tmp_path / "kept" / "report.json").read_text()) == report
    assert (report["benchmark"], report["model"]) == ("backbone", "dinov2_vitti14")


@pytest.mark.parametrize(
    ("size", "said"), [("224", "such as 224x8"), ("225x1", "multiple of 14"), ("28x0", "28x0")]
)
def test_a_size_that_cannot_be_is_refused(dinostream, size, said):
    done = dinostream("bench", "backbone", "--size", size)
    assert done.returncode == 2
    assert said in done.stderr
