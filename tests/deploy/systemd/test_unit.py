"""The unit: it runs a command that exists, may do little, and waits for a drain."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.cli.options import EXIT_CODES
from pipeline.configuration.config import Config
from pipeline.web.place import parse_place
from tests.deploy import commands

ROOT = Path(__file__).parents[3]
UNIT = ROOT / "deploy" / "systemd" / "dinostream.service"
TEXT = UNIT.read_text()
LEFT_AFTER_DRAIN_S = 20.0  # until an engine that hangs is killed: docs/live.md
WORST_EXPOSURE = 25  # of 100, by systemd's own reckoning; a unit that says nothing has 90


def value(key):
    (found,) = re.findall(rf"^{key}=(.*)$", TEXT, re.MULTILINE)
    return found


@pytest.fixture
def placed(tmp_path):
    """The unit with this checkout's paths, and an interpreter that is there."""
    dinostream = tmp_path / "dinostream"
    dinostream.write_text("#!/bin/sh\n")
    dinostream.chmod(0o755)
    text = TEXT.replace("/opt/dinostream/.venv/bin/dinostream", str(dinostream))
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace("/opt/dinostream", str(ROOT)))
    return unit


def analyze(*arguments):
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze")
    return subprocess.run(
        ["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_it_runs_a_command_that_there_is():
    (words,) = commands.named(TEXT)
    given = commands.check(words)
    assert parse_place(given["listen"], {}).loopback
    joined = re.sub(r"\\\n\s*", "", TEXT)
    script = re.search(r"ExecStart=/opt/dinostream/(\S+) %d/env_ ", joined)[1]
    assert (ROOT / script).is_file()
    assert value("LoadCredential").startswith("env:")


def test_a_stop_takes_longer_than_a_drain_and_is_told_to_the_run_alone():
    drain_s = Config.model_fields["drain_s"].default
    assert float(value("TimeoutStopSec")) > drain_s + LEFT_AFTER_DRAIN_S
    assert value("KillMode") == "mixed"


def test_a_wrong_configuration_is_not_tried_again():
    assert f"{value('RestartPreventExitStatus')} bad usage or configuration" in EXIT_CODES


def test_no_key_is_unknown_to_systemd(placed):
    done = analyze("verify", "--man=no", placed)
    assert done.stdout + done.stderr == ""  # it exits 0 all the same


def test_it_may_do_little(placed):
    done = analyze("security", "--offline=true", f"--threshold={WORST_EXPOSURE}", placed)
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze looks at running units alone")
    assert done.returncode == 0, done.stdout + done.stderr
