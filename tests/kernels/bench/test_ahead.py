import os
from pathlib import Path

import pytest

from kernels.bench.ahead import run_ahead


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})


def test_every_case_runs_elsewhere_and_what_it_raises_is_nobodys(tmp_path: Path) -> None:
    folders = [str(tmp_path / "one"), str(tmp_path / "absent" / "two"), str(tmp_path / "three")]
    assert run_ahead(os.mkdir, folders) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "three"]


def test_processes_that_die_are_nobodys_business_either() -> None:
    assert run_ahead(os._exit, [7, 7]) == 0


def test_one_core_gains_nothing(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
    assert run_ahead(os.mkdir, [str(tmp_path / "one"), str(tmp_path / "two")]) == 0
    assert list(tmp_path.iterdir()) == []
