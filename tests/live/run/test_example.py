"""The configuration that people copy is one that works, and the one that docs/live.md shows."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from operators.errors import UsageError
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_specs

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "deploy" / "example.yaml"


def test_the_example_names_cameras():
    specs = stream_specs(resolve(EXAMPLE, environ={"GATE_PASSWORD": "s3cret"}), live=True)
    assert [spec.stream for spec in specs] == ["gate", "yard", "lobby"]
    assert all(spec.live for spec in specs)
    assert specs[0].url == "rtsp://viewer:s3cret@10.0.0.7:554/stream1"
    assert [rule.canonical() for rule in specs[0].samplings] == ["fps:1", "fps:5"]


def test_the_example_without_its_password_says_what_is_missing():
    with pytest.raises(UsageError, match=r"streams\.gate\.url wants .* GATE_PASSWORD"):
        resolve(EXAMPLE, environ={})


def test_the_example_is_printed_without_its_password():
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "run", str(EXAMPLE), "--print-config"],
        env={**os.environ, "GATE_PASSWORD": "s3cret"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "rtsp://viewer:***@10.0.0.7:554/stream1" in done.stdout
    assert "s3cret" not in done.stdout + done.stderr


def test_the_page_shows_the_example():
    page = (ROOT / "docs" / "live.md").read_text()
    lines = EXAMPLE.read_text().splitlines(keepends=True)
    assert "".join(line for line in lines if not line.startswith("#")) in page
