"""The files of a folder in the order in which they are read."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.decode.segments import Segments
from pipeline.testing import ManualClock


def test_files_come_as_a_person_sorts_them_and_what_is_missed_is_told(tmp_path: Path) -> None:
    for name in ("gate-10.ts", "gate-9.ts", "notes.txt", ".gate-1.ts", "@eaDir/gate-1.ts"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    segments = Segments(str(tmp_path))
    assert not segments.single
    assert segments.behind("") == "gate-9.ts"
    assert segments.behind("gate-9.ts") == "gate-10.ts"
    assert segments.behind("gate-10.ts") is None
    (tmp_path / "gate-3.ts").touch()
    (tmp_path / "gate-11.ts").touch()
    assert segments.behind("gate-10.ts") == "gate-11.ts"
    (tmp_path / "gate-9.ts").unlink()
    (tmp_path / "gate-11.ts").unlink()
    assert segments.behind("gate-10.ts") is None
    assert segments.take_missed() == [
        "gate-3.ts came after what lies behind it",
        "gate-11.ts went before it was read",
    ]
    assert segments.behind("gate-10.ts") is None
    assert segments.take_missed() == []


def test_a_folder_is_read_again_where_its_date_has_changed(tmp_path: Path) -> None:
    """Or may not show yet that it has."""
    (tmp_path / "day").mkdir()
    (tmp_path / "day" / "gate-1.ts").touch()
    clock = ManualClock(100.0)
    segments = Segments(str(tmp_path), clock)
    dates = (tmp_path / "day").stat()
    assert segments.behind("day/gate-1.ts") is None
    (tmp_path / "day" / "gate-2.ts").touch()
    os.utime(tmp_path / "day", ns=(dates.st_atime_ns, dates.st_mtime_ns))
    clock.advance(60)
    assert segments.behind("day/gate-1.ts") == "day/gate-2.ts", "it came right behind the look"
    (tmp_path / "day" / "gate-3.ts").touch()
    assert segments.behind("day/gate-2.ts") == "day/gate-3.ts"
    clock.advance(60)
    assert segments.behind("day/gate-3.ts") is None
    (tmp_path / "day").joinpath("gate-1.ts").unlink()
    (tmp_path / "day").joinpath("gate-2.ts").unlink()
    (tmp_path / "day").joinpath("gate-3.ts").unlink()
    (tmp_path / "day").rmdir()
    assert segments.behind("") is None


def test_how_much_later_the_next_was_written(tmp_path: Path) -> None:
    for number, written_s in ((1, 100), (2, 130)):
        (tmp_path / f"gate-{number}.ts").touch()
        os.utime(tmp_path / f"gate-{number}.ts", (written_s, written_s))
    segments = Segments(str(tmp_path))
    assert [segments.lead_s("gate-1.ts"), segments.lead_s("gate-2.ts")] == [30.0, 0.0]


def test_a_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "gate.bin"
    path.write_bytes(b"12345")
    segments = Segments(str(path))
    assert segments.single
    assert segments.behind("") == "gate.bin"
    assert segments.path("gate.bin") == str(path)
    assert segments.size("gate.bin") == 5
    assert segments.behind("gate.bin") is None
    path.unlink()
    assert segments.behind("") is None
    assert segments.size("gate.bin") == 0
