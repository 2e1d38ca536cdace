"""Regions of pictures: as somebody sees them, whatever way they are stored."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from pipeline.media.crop import Crop
from pipeline.media.frame_size import FrameSize
from pipeline.media.orientation import Orientation
from pipeline.media.picture import Picture
from pipeline.media.region import GRID, Region
from pipeline.media.rendered import SceneReel
from pipeline.media.scaler import Scaler

TURNS = [Orientation(*flips) for flips in product((False, True), repeat=3)]
REGION = Region(0.3, 0.1, 0.9, 0.5)


def rgb_of(picture: Picture) -> np.ndarray:
    """As displayed, at its own size."""
    return picture.orientation.apply(picture.frame.to_ndarray(format="rgb24"))


@pytest.mark.parametrize(
    ("edges", "size_hw", "box"),
    [
        ((0, 0, 1, 1), (97, 131), (0, 0, 131, 97)),
        ((0.5, 0, 1, 0.5), (480, 640), (320, 0, 640, 240)),
        ((1 / 3, 0.25, 2 / 3, 1), (97, 131), (44, 24, 88, 97)),
        ((0.999, 0.999, 1, 1), (480, 641), (640, 476, 641, 480)),
        ((0, 0, 0.001, 0.001), (480, 640), (0, 0, 4, 4)),
        ((0.2, 0.2, 0.3, 0.3), (2, 1), (0, 0, 1, 2)),
    ],
)
def test_edges_lie_on_the_grid_or_on_the_pictures_own(edges, size_hw, box) -> None:
    assert Region(*edges).within(size_hw) == box


@pytest.mark.parametrize(
    "edges",
    [(0, 0, 0, 1), (0.5, 0, 0.4, 1), (-0.1, 0, 1, 1), (0, 0, 1, 1.1), (0, float("nan"), 1, 1)],
)
def test_what_is_no_part_of_a_picture_is_refused(edges) -> None:
    with pytest.raises(ValueError, match=r"should be \[left, top, right, bottom\] in parts"):
        Region(*edges)


@pytest.mark.parametrize("turn", TURNS)
def test_a_turned_picture_is_cut_where_it_is_seen(clips, turn: Orientation) -> None:
    """Every pixel has a colour of its own, and edges lie on the grid in either direction."""
    rows, columns = np.mgrid[:40, :80].astype(np.uint8)
    frame = clips.rgb(np.dstack([rows, columns, rows]), "rgb24")
    whole = Picture(lambda: frame, 0, 1, keyframe=True, orientation=turn)
    part = Crop(REGION)(whole)
    left, top, right, bottom = part.region
    assert (rgb_of(part) == rgb_of(whole)[top:bottom, left:right]).all()
    assert part.source_hw == (bottom - top, right - left)
    assert part.whole_hw == whole.source_hw
    height, width = whole.source_hw
    wanted = (0.3 * width, 0.1 * height, 0.9 * width, 0.5 * height)
    assert np.abs(np.subtract(part.region, wanted)).max() <= GRID / 2
    assert part.preparation == f"region {left},{top},{right},{bottom}"


def test_the_whole_is_no_region(clips) -> None:
    frame = clips.colour((97, 131), (120, 90, 170))
    whole = Picture.of(frame)
    assert Crop(None)(whole) is whole
    assert Crop(Region(0, 0, 1, 1))(whole) is whole
    assert Crop(Region(0, 0, 0.999, 1))(whole) is whole


def test_of_a_field_the_same_is_seen_as_of_the_picture(clips, shared_media: Path) -> None:
    """A white box that moves: where it lies in the region, it does in the picture."""
    seen = 0
    for whole in clips.pictures(shared_media / "reports" / "inter.ts"):
        part = Crop(REGION)(whole)
        left, top, right, bottom = part.region
        assert part.preparation == f"top field region {left},{top},{right},{bottom}"
        assert part.source_hw == (bottom - top, right - left)
        rows = rgb_of(whole)[top // 2 : bottom // 2, left:right]
        assert (rgb_of(part) == rows).all()
        seen += int((rows > 127).any())
    assert seen


def test_what_a_container_hides_is_outside_of_every_region(clips, shared_media: Path) -> None:
    """Red on the left, blue on the right, of what is shown."""
    for whole in clips.pictures(shared_media / "reports" / "clap.mp4"):
        blue = Crop(Region(0.5, 0, 1, 1))(whole)
        assert (blue.region, blue.source_hw) == ((64, 0, 128, 64), (64, 64))
        assert blue.preparation == "128x64+0+32 region 64,0,128,64"
        pixels = Scaler(FrameSize(56, 14))(blue)
        assert (pixels[:, 8:].argmax(axis=2) == 2).all()


def test_an_untagged_picture_keeps_the_colours_of_its_whole(clips) -> None:
    """From 720 lines on they are BT.709's, however little of it is looked at."""
    whole = Picture.of(clips.colour((720, 960), (120, 90, 170)))
    part = Crop(Region(0, 0, 0.25, 0.25))(whole)
    assert part.source_hw == (180, 240)
    seen, known = (Scaler(FrameSize(56, 14))(one)[0, 0] for one in (part, whole))
    assert (seen == known).all()


def test_a_scene_is_drawn_when_it_is_scaled_and_no_sooner() -> None:
    (whole, *_) = SceneReel("synthetic:room?seed=3&seconds=1&fps=2&size=160x90").pictures()
    drawn = []

    def draw():
        drawn.append(whole.pts)
        return whole.draw()

    part = Crop(Region(0.5, 0, 1, 1))(replace(whole, draw=draw))
    assert (part.region, drawn) == ((80, 0, 160, 90), [])
    assert (rgb_of(part) == rgb_of(whole)[:, 80:]).all()
    assert drawn == [0]
