"""A file is replaced by a whole one, or stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from operators.whole_file import whole_file


def test_it_takes_the_files_place_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with whole_file(path) as draft:
        draft.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]


def test_what_fails_leaves_all_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(TypeError), whole_file(path) as draft, draft.open("w") as file:
        file.writelines(["half", None])
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]
