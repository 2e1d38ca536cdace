"""What a user names is told apart into pictures and footage; nothing is a named error."""

from pathlib import Path

import pytest

from operators.errors import UsageError
from pipeline.pretrain.sources import named

RUN = Path("not made yet")
SCENE = "synthetic:yard?seed=1&seconds=2&fps=5&size=96x64"


@pytest.fixture
def place(tmp_path, small_picture):
    for name in ("b.png", "a.jpg", "inner/c.png", ".cache/d.png"):
        small_picture(tmp_path / "mixed" / name, "bars")
    (tmp_path / "mixed/film.mp4").write_bytes(b"film")
    (tmp_path / "mixed/dance.gif").write_bytes(b"film")
    small_picture(tmp_path / "photos/one.png", "bars")
    (tmp_path / "nothing").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts/readme.md").write_text("no picture")
    return tmp_path


def names(found, place):
    pictures = [path.relative_to(place).as_posix() for path in found.pictures]
    return pictures, [plan.stream for plan in found.recordings]


def test_a_folder_may_hold_pictures_and_footage(place):
    found = named([str(place / "mixed"), SCENE], run=RUN)
    assert names(found, place) == (
        ["mixed/a.jpg", "mixed/b.png", "mixed/inner/c.png"],
        ["dance.gif", "film.mp4", "yard-1"],
    )


def test_pictures_by_themselves_need_no_footage(place):
    assert names(named([str(place / "photos")], run=RUN), place) == (["photos/one.png"], [])
    assert names(named([str(place / "mixed/b.png")], run=RUN), place) == (["mixed/b.png"], [])
    assert names(named([str(place / "mixed/*.png")], run=RUN), place) == (["mixed/b.png"], [])
    assert names(named([str(place / "mixed/*.mp4")], run=RUN), place) == ([], ["film.mp4"])


def test_what_a_training_made_of_its_sources_is_none(place, small_picture, monkeypatch):
    """A killed training goes on with the sources that it began with, and its own is among them."""
    small_picture(place / "photos/run/pictures/made.png", "bars")
    monkeypatch.chdir(place)
    run = Path("photos/run")
    assert names(named(["photos"], run=run), place) == (["photos/one.png"], [])
    (place / "link").symlink_to("photos")
    assert names(named(["link"], run=run), place) == (["link/one.png"], [])
    for own in ("photos/run/pictures", "link/run", "photos/run/pictures/made.png", "link/run/*/*"):
        with pytest.raises(UsageError, match=r"its pictures lie in photos/run, where this"):
            named([own], run=run)


def test_a_picture_that_is_named_twice_is_one(place, monkeypatch):
    monkeypatch.chdir(place)
    found = named(["photos", str(place / "photos"), "photos/one.png"], run=RUN)
    assert names(found, place) == (["photos/one.png"], [])


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("nothing", r"nothing: neither a picture nor a video is there"),
        ("texts", r"texts: neither a picture nor a video is there"),
        ("absent", r"no such file or folder: .*absent"),
        ("photos/*.webp", r"no file matches"),
    ],
)
def test_nothing_is_named(place, source, text):
    with pytest.raises(UsageError, match=text):
        named([str(place / "photos"), str(place / source)], run=RUN)


def test_cameras_and_other_protocols_are_refused(place):
    with pytest.raises(UsageError, match="is live"):
        named(["rtsp://camera/1"], run=RUN)
