"""Files become variables of the command, and nothing else of it changes."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "deploy" / "with_secrets.sh"
SHOW = "import json, os, sys; print(json.dumps([os.environ.get(n) for n in sys.argv[1:]]))"


def run(prefix, *command):
    return subprocess.run(
        [SCRIPT, str(prefix), *command],
        capture_output=True,
        text=True,
        env={**os.environ, "OLD": "1"},
    )


def test_each_file_is_a_variable(tmp_path):
    (tmp_path / "env_KAFKA_PASSWORD").write_text("p $(id) `x` \"ä'\n")
    (tmp_path / "env_EMPTY").write_text("")
    (tmp_path / "other").write_text("no")
    names = ["KAFKA_PASSWORD", "EMPTY", "other", "OLD"]
    done = run(tmp_path / "env_", sys.executable, "-c", SHOW, *names)
    assert done.stderr == ""
    assert done.stdout == '["p $(id) `x` \\"\\u00e4\'", "", null, "1"]\n'


def test_a_folder_without_files_adds_nothing(tmp_path):
    assert run(f"{tmp_path}/", "true").returncode == 0


def test_a_file_that_cannot_be_a_variable_ends_it_without_its_value(tmp_path):
    (tmp_path / "not-a-name").write_text("s3cret")
    done = run(f"{tmp_path}/", "true")
    assert done.returncode != 0
    assert "s3cret" not in done.stdout + done.stderr


def test_the_command_takes_the_place_of_the_script_and_its_exit_code_stays(tmp_path):
    done = run(f"{tmp_path}/", "sh", "-c", "exit 3")
    assert done.returncode == 3
    # A signal to the script's process reaches the command, because it is the same process.
    done = run(f"{tmp_path}/", sys.executable, "-c", "import os; os.kill(os.getpid(), 15)")
    assert done.returncode == -15
