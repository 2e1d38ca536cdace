"""Which files are written, and that all of each is."""

from pathlib import Path

import numpy as np
import pytest

from operators.errors import UsageError
from pipeline.render.film import FilmFrame, Outputs, outputs_of, write_film


def frames(count):
    for number in range(count):
        yield FilmFrame(number / 10, np.full((48, 64, 3), number, np.uint8))


@pytest.mark.parametrize(
    ("name", "gif", "png", "wanted"),
    [
        ("a.mp4", False, False, ["a.mp4"]),
        ("a.mp4", True, True, ["a.mp4", "a.gif", "a.png"]),
        ("a.PNG", False, True, ["a.PNG"]),
        ("a.gif", True, False, ["a.gif"]),
    ],
)
def test_the_suffix_says_what_is_written(tmp_path, name, gif, png, wanted):
    found = outputs_of(tmp_path / name, gif=gif, png=png)
    assert [path.name for path in found.paths] == wanted
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_said_first(tmp_path):
    with pytest.raises(UsageError, match=r"can write \.mp4, \.gif, \.png, not \.avi"):
        outputs_of(tmp_path / "a.avi", gif=False, png=False)
    (tmp_path / "dir.mp4").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        outputs_of(tmp_path / "dir.mp4", gif=False, png=False)
    with pytest.raises(UsageError, match=r"cannot write .*No such file or directory"):
        outputs_of(Path("absent/a.mp4"), gif=False, png=False)
    with pytest.raises(UsageError, match=r"cannot write .*File name too long"):
        outputs_of(tmp_path / f"{'x' * 300}.mp4", gif=False, png=False)


def test_looking_whether_it_can_be_written_touches_nothing_that_is_there(tmp_path):
    begun = tmp_path / "a.mp4.part"  # by another process, or it will be: its name is never taken
    begun.write_bytes(b"begun")
    outputs_of(tmp_path / "a.mp4", gif=True, png=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4.part"]
    assert begun.read_bytes() == b"begun"


def test_a_still_alone_needs_no_frame_after_it(tmp_path):
    count = write_film(Outputs(png=tmp_path / "a.png"), frames(50), fps=10, still_s=0.7)
    assert count == 8
    late = write_film(Outputs(png=tmp_path / "b.png"), frames(5), fps=10, still_s=99)
    assert late == 5


def test_an_old_file_stays_until_the_new_one_is_whole(tmp_path):
    old = tmp_path / "a.png"
    old.write_bytes(b"old")

    def broken():
        yield from frames(2)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        write_film(Outputs(png=old), broken(), fps=10, still_s=5)
    assert old.read_bytes() == b"old"
