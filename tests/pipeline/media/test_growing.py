"""A file that is waited for at its end."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from pipeline.errors import SourceError
from pipeline.media.growing import GrowingFile
from pipeline.testing import ManualClock


def test_what_is_appended_is_read_until_nothing_was_for_long(tmp_path: Path) -> None:
    path, clock = tmp_path / "a.ts", ManualClock()
    path.write_bytes(b"abc")
    pieces = [b"de", b"", b"f"]

    def wait(seconds: float) -> bool:
        clock.advance(seconds)
        if pieces:
            with path.open("ab") as file:
                file.write(pieces.pop(0))
        return True

    with closing(GrowingFile(str(path), lambda quiet_s: quiet_s >= 1.0, wait, clock)) as file:
        assert [file.read(2) for _ in range(4)] == [b"ab", b"c", b"de", b"f"]
        assert file.read(2) == b""
        path.write_bytes(b"abcdefgh")
        assert file.position == 6
        assert clock() >= 1.0


def test_it_is_over_once_though_libav_asks_again(tmp_path: Path) -> None:
    path, looks = tmp_path / "a.ts", []
    path.touch()
    with closing(GrowingFile(str(path), lambda _: True, lambda s: not looks.append(s))) as file:
        assert [file.read(9), file.read(9)] == [b"", b""]
    assert looks == []


def test_whoever_waits_no_longer_gets_no_end(tmp_path: Path) -> None:
    """Else half a frame would be taken for a whole one."""
    path = tmp_path / "a.ts"
    path.touch()
    with (
        closing(GrowingFile(str(path), lambda _: False, lambda _: False)) as file,
        pytest.raises(SourceError, match="stopped"),
    ):
        file.read(9)
