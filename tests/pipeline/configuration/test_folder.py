"""What of a folder is played, and that the rest is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from operators.errors import UsageError
from pipeline.configuration.folder import files_of


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def names(source: Path | str) -> list[str]:
    return [name for name, _ in files_of(str(source))]


def test_bins_snapshots_and_thumbnails_are_passed_over_aloud(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    system = [".Trash-1000", ".snapshot", "@eaDir", "lost+found", "$RECYCLE.BIN", "#recycle"]
    for folder in ("cam", "System Volume Information", *system):
        touch(tmp_path / folder / "a.mp4")
    touch(tmp_path / "cam" / "@eaDir" / "b.mp4")
    touch(tmp_path / "cam" / "._a.mp4")
    assert names(tmp_path) == ["cam/a.mp4"]
    assert "hidden and system folders: 8 (" in caplog.text
    assert "hidden files: 1 (cam/._a.mp4)" in caplog.text
    caplog.clear()
    assert names(tmp_path / "**" / "*.mp4") == ["cam/a.mp4"]
    assert "files in hidden and system folders: 6 (" in caplog.text
    caplog.clear()
    assert names(tmp_path / "@eaDir") == ["a.mp4"]
    assert names(tmp_path / "@eaDir" / "*") == ["a.mp4"]
    assert caplog.text == ""


def test_links_to_files_count_once_and_links_to_folders_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    touch(tmp_path / "footage" / "b.mp4")
    touch(tmp_path / "elsewhere" / "c.mp4")
    (tmp_path / "footage" / "a.mp4").symlink_to("b.mp4")
    (tmp_path / "footage" / "far.mp4").symlink_to(tmp_path / "elsewhere" / "c.mp4")
    (tmp_path / "footage" / "gone.mp4").symlink_to("nothing.mp4")
    (tmp_path / "footage" / "round").symlink_to(".")
    (tmp_path / "footage" / "cam").symlink_to(tmp_path / "elsewhere")
    assert names(tmp_path / "footage") == ["b.mp4", "far.mp4"]
    for told in (
        "links to files that are there: 1 (a.mp4)",
        "links to nothing: 1 (gone.mp4)",
        "links to folders: 2 (",
    ):
        assert told in caplog.text


def test_folders_that_a_glob_finds_are_told_and_not_walked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    touch(tmp_path / "below" / "b.mp4")
    with pytest.raises(UsageError, match=r"no file matches .*; passed over folders: 1 \(below\)"):
        names(tmp_path / "*")
    touch(tmp_path / "a.mp4")
    assert names(tmp_path / "*") == ["a.mp4"]
    assert "folders: 1 (below)" in caplog.text
    caplog.clear()
    assert names(tmp_path / "**" / "*") == ["a.mp4", "below/b.mp4"]
    assert caplog.text == ""


def test_a_glob_that_runs_in_circles_gives_each_file_once(tmp_path: Path) -> None:
    touch(tmp_path / "a.mp4")
    (tmp_path / "round").symlink_to(".")
    assert names(tmp_path / "**" / "*.mp4") == ["a.mp4"]


def test_a_link_is_a_source_like_another(tmp_path: Path) -> None:
    touch(tmp_path / "disk" / "a.mp4")
    (tmp_path / "footage").symlink_to("disk")
    assert names(tmp_path / "footage") == ["a.mp4"]
    assert names(tmp_path / "foot*" / "a.mp4") == ["footage/a.mp4"]


def test_folders_that_cannot_be_read_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not with `chmod`: tests may run as root, who reads everything."""
    for name in ("open", "shut"):
        touch(tmp_path / name / "a.mp4")
    scandir, access = os.scandir, os.access

    def guarded(place: str) -> object:
        if Path(place).name == "shut":
            raise PermissionError(13, "Permission denied", place)
        return scandir(place)

    monkeypatch.setattr(os, "scandir", guarded)
    monkeypatch.setattr(os, "access", lambda at, mode: Path(at).name != "shut" and access(at, mode))
    for source in (tmp_path, tmp_path / "o*" / "*.mp4", tmp_path / "*" / "*.mp4"):
        caplog.clear()
        assert [Path(name).name for name in names(source)] == ["a.mp4"]
        told = "folders that cannot be read: 1 (shut)" in caplog.text
        assert told is (source != tmp_path / "o*" / "*.mp4")
    with pytest.raises(UsageError, match=r"no video file in .*; passed over folders that cannot"):
        names(tmp_path / "shut")
