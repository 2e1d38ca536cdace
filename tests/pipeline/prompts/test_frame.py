"""A picture or a moment of a recording: which frame it is, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from operators.errors import UsageError
from operators.weights.digest import sha256_file
from pipeline.media.fingerprint import file_session
from pipeline.prompts.frame import read_frame


@pytest.fixture(scope="module")
def two_kinds(small_clip, tmp_path_factory):
    """10 dark frames, then 10 bright ones, 10 a second."""
    path = tmp_path_factory.mktemp("frame") / "two@kinds.mp4"
    return small_clip(path, "dark", "bright", frames=10)


@pytest.mark.parametrize(
    ("at_s", "time_s", "bright"),
    [(0.94, 0.9, False), (0.96, 1, True)],
)
def test_the_nearest_frame_as_large_as_it_is(two_kinds, at_s, time_s, bright):
    frame = read_frame(f"{two_kinds}@{at_s}")
    assert frame.pixels.shape == (48, 64, 3)
    assert bool(frame.pixels.mean() > 128) is bright
    assert frame.told["time_s"] == pytest.approx(time_s)
    assert frame.told["session"] == file_session(str(two_kinds))
    assert frame.told["position"].isdecimal()


def test_a_moment_of_a_rendered_scene():
    frame = read_frame("synthetic:yard?seed=700&seconds=1&fps=5&size=112x84@0.4")
    assert frame.pixels.shape == (84, 112, 3)
    assert frame.told["time_s"] == pytest.approx(0.4)


def test_a_picture_stands_upright(tmp_path):
    path = tmp_path / "lying.jpg"
    pixels = np.full((30, 50, 3), 90, np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(path, exif=exif)
    frame = read_frame(str(path))
    assert frame.pixels.shape == (50, 30, 3)
    assert frame.told == {"file": str(path), "sha256": sha256_file(path)}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nowhere.png", "nowhere.png: no such file; FRAME is a picture's, or CLIP@SECONDS"),
        ("nowhere.mp4@3", "nowhere.mp4: no such file"),
        ("{film}@soon", "'soon' is no time; want seconds since the first frame"),
        ("{film}@-1", "'-1' is no time"),
        ("{film}@inf", "'inf' is no time"),
        ("{film}@7", "no frame at 7 s; its last one is at 1.90 s"),
        ("{film}", "of a recording give the moment, too"),
    ],
)
def test_what_is_no_frame(two_kinds, name, why):
    with pytest.raises(UsageError, match=why):
        read_frame(name.format(film=two_kinds))
