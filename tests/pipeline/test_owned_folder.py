import json
import subprocess
import sys
from shutil import rmtree

import pytest

from operators.errors import UsageError
from pipeline import owned_folder as room
from pipeline.owned_folder import owned_folder


def test_it_is_made_and_says_whose_it_is(tmp_path):
    with owned_folder(tmp_path / "a" / "b", "curate"):
        said = json.loads((tmp_path / "a" / "b" / "curate.json").read_text())
    assert said == {"kind": "dinostream curate", "format": 1}
    with owned_folder(tmp_path / "a" / "b", "curate"):
        pass


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "pictures").mkdir()
    with pytest.raises(UsageError, match="holds something else"), owned_folder(tmp_path, "curate"):
        pass
    assert [one.name for one in tmp_path.iterdir()] == ["pictures"]


def test_what_is_refused_leaves_no_folder(tmp_path):
    with pytest.raises(UsageError), owned_folder(tmp_path / "new" / "newer", "curate"):
        raise UsageError("no such file")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_gone_hides_no_error(tmp_path):
    with pytest.raises(ZeroDivisionError), owned_folder(tmp_path / "new", "curate"):
        rmtree(tmp_path / "new") or 1 / 0


def test_what_fails_half_way_leaves_what_it_made(tmp_path):
    half = tmp_path / "new" / "half"
    with pytest.raises(FileExistsError), owned_folder(half.parent, "curate"):
        half.mkdir() or half.mkdir()
    assert half.exists()


def test_two_commands_do_not_share_one(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "TRIES", 1)
    with (
        owned_folder(tmp_path, "curate"),
        pytest.raises(UsageError, match="another dinostream curate is at work"),
        owned_folder(tmp_path, "curate"),
    ):
        pass
    with owned_folder(tmp_path, "curate"):
        pass


def test_a_killed_one_lets_go(tmp_path):
    code = (
        "import os, sys, pathlib\n"
        "from pipeline.owned_folder import owned_folder\n"
        "with owned_folder(pathlib.Path(sys.argv[1]), 'curate'):\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert done.returncode == -9
    with owned_folder(tmp_path, "curate"):
        pass
