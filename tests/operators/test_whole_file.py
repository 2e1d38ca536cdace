"""A file is replaced by a whole one, or stays as it was."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from operators.whole_file import whole_file


def test_it_takes_the_files_place_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with whole_file(path) as draft:
        draft.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]


def test_others_may_read_it_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with whole_file(tmp_path / "a.safetensors") as draft:
            save_file({"a": torch.zeros(1)}, draft)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.safetensors").stat().st_mode) == 0o640


def test_what_a_killed_process_of_that_id_left_is_no_part_of_it(tmp_path: Path) -> None:
    left = tmp_path / f".a.json.{os.getpid()}.part"
    left.write_text("left")
    left.chmod(0o400)
    with whole_file(tmp_path / "a.json") as draft, draft.open("a") as file:
        file.write("new")
    assert (tmp_path / "a.json").read_text() == "new"
    assert (tmp_path / "a.json").stat().st_mode & 0o200


def test_what_fails_leaves_all_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(TypeError), whole_file(path) as draft, draft.open("w") as file:
        file.writelines(["half", None])
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]
