from pathlib import Path

import pytest

from kernels.bench import origin


@pytest.mark.parametrize(
    ("answer", "clocks"),
    [
        (
            "echo '1755 MHz, 3201 MHz, 612.50 W, 54'; echo '345 MHz, 3201 MHz, 80.00 W, 30'",
            ("1755 MHz", "3201 MHz", "612.50 W", "54"),
        ),
        ("echo 'Field \"clocks.sm\" is not a valid field to query.'", None),
        ("echo '1755 MHz, 3201 MHz, 612.50 W, 54'; exit 9", None),
    ],
)
def test_clocks_are_what_the_first_card_says(tmp_path: Path, monkeypatch, answer, clocks) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{answer}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    said = origin.clocks()
    assert said == (clocks and dict(zip(origin.NOW, clocks, strict=True)))


def test_a_copy_without_a_history_is_known_by_its_sources(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(origin, "ROOT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    said = origin.origin(None)
    assert said["commit"] == "unknown"
    assert len(said["sources"]) == 12
    assert said["gpu"] is None
    assert origin.clocks() is None
