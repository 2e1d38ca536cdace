"""What a node has for a job, looked at here."""

from __future__ import annotations

from pathlib import Path

import pytest

from operators.errors import UsageError
from operators.weights.digest import sha256_file
from pipeline.configuration.resolve import resolve
from pipeline.runtime.examination import examine, find_files, is_with_driver, reach_sink


def test_without_a_configuration_the_node_alone() -> None:
    found = examine(None)
    assert found.trouble == {}
    assert found.files == {}
    assert found.sink == ""
    assert found.folder == str(Path(__file__).parents[3])
    assert found.machine.cores >= 1
    assert "float" in found.computes


def test_a_pyramid_has_an_engine_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    swin = {"model": "swin_tiny_patch4_window7_224", "weights": "random", "operators": ["pca"]}
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    found = examine(resolve(None, swin))
    assert found.computes.startswith("torch ")
    assert ", float32, cpu" in found.computes


def test_what_is_wrong_is_told_and_the_rest_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def intruded() -> None:
        raise UsageError("the package kernels was found at /elsewhere")

    def broken(*_: object) -> None:
        raise OSError("libfoo.so: cannot open\nsecond line")

    monkeypatch.setattr("pipeline.runtime.examination.check_layout", intruded)
    monkeypatch.setattr("pipeline.runtime.examination._computes", broken)
    config = resolve(None, {"weights": "demo", "operators": ["no_such.module:Mood", "depth"]})
    found = examine(config)
    assert found.trouble["layout"] == "the package kernels was found at /elsewhere"
    assert found.trouble["computes"] == "OSError: libfoo.so: cannot open"
    assert "No module named 'no_such'" in found.trouble["operators"]
    assert set(found.trouble) == {"layout", "computes", "operators"}
    assert found.sink == ""  # a file with the driver


def test_files_are_looked_for_and_never_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.safetensors").write_bytes(b"mine")
    heads = {"depth": "nyu-linear", "segmentation": "~/mine.safetensors"}
    values = {"heads": heads, "operators": ["depth", "segmentation", "action", "embedding"]}
    config = resolve(None, {**values, "calibrations": f"{tmp_path}/cameras.json"})
    found = find_files(config)
    assert set(found) == {"weights", "heads.depth", "heads.segmentation", "calibrations"}
    cache = tmp_path / ".cache" / "dinostream"
    assert found["weights"].path == str(cache / "dinov2_vits14_pretrain.pth")
    assert found["weights"].official is not None
    assert found["heads.segmentation"].sha256 == sha256_file(tmp_path / "mine.safetensors")
    assert [one.sha256 for one in found.values()].count(None) == 3
    assert found["calibrations"].official is None
    assert not cache.exists()


def test_weights_that_ship_need_no_file() -> None:
    assert find_files(resolve(None, {"weights": "demo"})) == {}
    assert find_files(resolve(None, {"weights": "random"})) == {}


def test_a_database_is_with_the_driver(tmp_path: Path) -> None:
    sink = resolve(None, {"sink": f"sqlite:{tmp_path}/results.db"}).sink
    assert is_with_driver(sink)
    assert reach_sink(sink) == f"the database {tmp_path}/results.db"
    assert not (tmp_path / "results.db").exists()
