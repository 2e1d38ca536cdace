"""Sizes, colours and orientation of what the model gets to see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.media.frame_size import FrameSize
from pipeline.media.orientation import Orientation
from pipeline.media.picture import Picture
from pipeline.media.scaler import Scaler

BT709, BT601, BT2020, UNTAGGED = 1, 6, 9, 2
LIMITED, FULL = 1, 2
WEIGHTS = {BT709: (0.2126, 0.0722), BT601: (0.299, 0.114), BT2020: (0.2627, 0.0593)}


def rgb_of(yuv: tuple[int, int, int], matrix: int, color_range: int) -> list[float]:
    """ITU-R BT.601/709/2020 non-constant luminance, 8 bit."""
    red, blue = WEIGHTS[matrix]
    y, u, v = yuv
    luma = y / 255 if color_range == FULL else (y - 16) / 219
    span = 255 if color_range == FULL else 224
    cb, cr = (u - 128) / span, (v - 128) / span
    r, b = luma + 2 * (1 - red) * cr, luma + 2 * (1 - blue) * cb
    g = (luma - red * r - blue * b) / (1 - red - blue)
    return [float(np.clip(255 * channel, 0, 255)) for channel in (r, g, b)]


@pytest.mark.parametrize("color_range", [None, LIMITED, FULL])
@pytest.mark.parametrize("matrix", [BT709, BT601, BT2020])
@pytest.mark.parametrize("yuv", [(120, 90, 170), (60, 160, 110), (180, 128, 128), (90, 200, 60)])
def test_colours_follow_the_tags(clips, tmp_path: Path, matrix, color_range, yuv) -> None:
    path = tmp_path / "clip.mp4"
    frame = clips.colour((112, 112), yuv)
    clips.write(path, [frame] * 2, colorspace=matrix, color_range=color_range)
    pixels = Scaler(FrameSize(56, 14))(clips.pictures(path)[0])
    expected = rgb_of(yuv, matrix, color_range or LIMITED)
    assert np.abs(pixels - np.array(expected)).max() < 1.5


@pytest.mark.parametrize(("size_hw", "matrix"), [((480, 640), BT601), ((720, 960), BT709)])
def test_untagged_pictures_are_bt709_from_720_lines_on(
    clips, tmp_path: Path, size_hw, matrix
) -> None:
    yuv = (120, 90, 170)
    path = clips.write(tmp_path / "clip.mp4", [clips.colour(size_hw, yuv)])
    (picture,) = clips.pictures(path)
    assert picture.frame.colorspace == UNTAGGED
    assert (
        np.abs(Scaler(FrameSize(56, 14))(picture) - np.array(rgb_of(yuv, matrix, LIMITED))).max()
        < 1.5
    )


@pytest.mark.parametrize(
    ("pix_fmt", "codec"),
    [
        ("yuv420p10le", "libx264"),
        ("yuv444p", "libx264"),
        ("yuv422p10le", "libx264"),
        ("yuv444p", "libvpx-vp9"),
    ],
)
def test_deep_and_unsubsampled_formats(clips, tmp_path: Path, pix_fmt: str, codec: str) -> None:
    yuv = (120, 90, 170)
    options = {"qp": "0"} if codec == "libx264" else {"lossless": "1"}
    frame = clips.colour((112, 140), yuv, pix_fmt)
    path = clips.write(
        tmp_path / "clip.mkv", [frame], codec=codec, colorspace=BT709, options=options
    )
    (picture,) = clips.pictures(path)
    assert picture.frame.format.name == pix_fmt
    pixels = Scaler(FrameSize(56, 14))(picture)
    assert pixels.shape == (56, 70, 3)
    assert np.abs(pixels - np.array(rgb_of(yuv, BT709, LIMITED))).max() < 1.5


def test_rgb_keeps_its_values(clips) -> None:
    pixels = np.zeros((56, 70, 3), np.uint8)
    pixels[:] = (200, 30, 90)
    frame = clips.rgb(pixels, "rgb24")
    frame.colorspace = BT709
    assert (Scaler(FrameSize(56, 14))(Picture.of(frame)) == pixels).all()


def corners(pixels: np.ndarray) -> str:
    """Colours of the corners, clockwise from the top left."""
    names = {(255, 0, 0): "r", (0, 255, 0): "g", (0, 0, 255): "b", (255, 255, 255): "w"}
    points = [pixels[8, 8], pixels[8, -8], pixels[-8, -8], pixels[-8, 8]]
    return "".join(names[tuple((np.asarray(point) > 127) * 255)] for point in points)


@pytest.fixture(scope="module")
def quarters() -> np.ndarray:
    """Red, green, blue, white, clockwise from the top left; 112 high, 168 wide."""
    pixels = np.zeros((112, 168, 3), np.uint8)
    pixels[:56, :84], pixels[:56, 84:] = (255, 0, 0), (0, 255, 0)
    pixels[56:, 84:], pixels[56:, :84] = (0, 0, 255), (255, 255, 255)
    return pixels


@pytest.mark.parametrize(
    ("rotation", "expected", "size_hw"),
    [
        ((0, False, False), "rgbw", (56, 84)),
        ((-90, False, False), "wrgb", (84, 56)),
        ((90, False, False), "gbwr", (84, 56)),
        ((180, False, False), "bwrg", (56, 84)),
        ((0, True, False), "grwb", (56, 84)),
        ((0, False, True), "wbgr", (56, 84)),
    ],
)
def test_rotation_and_mirroring_are_applied(
    clips, tmp_path: Path, quarters, rotation, expected, size_hw
) -> None:
    """FFmpeg's angle is the one the picture is turned by to be shown, clockwise where negative."""
    path = tmp_path / "clip.mp4"
    clips.write(path, [clips.rgb(quarters)], rotation=rotation)
    (picture,) = clips.pictures(path)
    pixels = Scaler(FrameSize(56, 14))(picture)
    assert pixels.shape[:2] == size_hw
    assert picture.source_hw == (size_hw[0] * 2, size_hw[1] * 2)
    assert corners(pixels) == expected
    assert pixels.flags.c_contiguous


def test_transposed_and_mirrored(quarters) -> None:
    assert corners(Orientation(True).apply(quarters)) == "rwbg"
    assert corners(Orientation(True, flip_x=True, flip_y=True).apply(quarters)) == "bgrw"


@pytest.mark.slow
def test_real_clips_stand_upright(clips, shared_media: Path) -> None:
    """The same scene filmed with the phone held in three ways."""
    videos = shared_media / "videos"
    sizes = {
        name: clips.pictures(videos / name)[0].source_hw
        for name in ("video_0.mov", "video_90.mov", "video_180.mov", "portrait_4k60.mp4")
    }
    assert sizes == {
        "video_0.mov": (320, 568),
        "video_90.mov": (568, 320),
        "video_180.mov": (320, 568),
        "portrait_4k60.mp4": (3840, 2160),
    }


def test_one_scaler_serves_sizes_that_change(clips) -> None:
    scaler = Scaler(FrameSize(56, 14))
    sizes = [(112, 112), (240, 320), (112, 112), (57, 91)]
    shapes = [
        scaler(Picture.of(clips.colour(size, (120, 90, 170), "yuv444p"))).shape for size in sizes
    ]
    assert shapes == [(56, 56, 3), (56, 70, 3), (56, 56, 3), (56, 84, 3)]
