"""docs/writing-an-operator.md is true: its example runs as a user would run it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from operators.backbones.architectures import Architecture
from operators.frames import Features, FrameInfo
from operators.operator import StreamOperator
from operators.registry import build_operator

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page's operator and the page's test of it."""
    page = (ROOT / "docs" / "writing-an-operator.md").read_text()
    operator, its_test = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    folder = tmp_path_factory.mktemp("own")
    (folder / "novelty.py").write_text(operator)
    (folder / "test_novelty.py").write_text(its_test)
    return folder


@pytest.mark.slow
def test_the_pages_own_test_passes(example: Path) -> None:
    """In a process of its own, with the folder on the path as the page asks."""
    options = ["-q", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml")]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(example / "test_novelty.py")],
        env={"PYTHONPATH": f"{example}:{ROOT}", "OMP_NUM_THREADS": "1"},
        cwd=example,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "2 passed" in run.stdout


def test_it_runs_by_its_name_in_the_configuration(
    example: Path,
    monkeypatch: pytest.MonkeyPatch,
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
) -> None:
    monkeypatch.syspath_prepend(example)
    options = {"architecture": tiny, "backbone_sha256": "a" * 64}
    whole, first, second = (
        build_operator("novelty:Novelty", {"memory": 0.75}, **options) for _ in range(3)
    )
    assert isinstance(first, StreamOperator)
    assert isinstance(second, StreamOperator)
    frames = [frame(number) for number in range(8)]

    together = whole(features_of(frames, tiny))
    apart = first(features_of(frames[:3], tiny))
    second.restore("cam", first.snapshot("cam"))
    apart += second(features_of(frames[3:], tiny))

    assert apart == together
    assert [result.operator for result in together] == ["novelty"] * 8
    assert whole.settings() == {"memory": 0.75}
