"""From a click to a folder: masks where the thing is, losses told, nothing half written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from operators.davis.region import region
from operators.errors import UsageError
from pipeline.errors import SourceError
from pipeline.features.store import FeatureStore
from pipeline.fit.pairs import pairs
from pipeline.fit.truth_files import MaskFile
from pipeline.follow.asked import asked
from pipeline.follow.follow import follow
from pipeline.follow.wish import Wish
from pipeline.media.plain import plain_frames

pytestmark = pytest.mark.slow

GONE = 10  # frame from which on nothing of the lid is in the picture


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("features")


@pytest.fixture
def own_store(kept, tiny_backbone):
    store = FeatureStore(kept, tiny_backbone, short_side=112)
    yield store
    store.close()


def lid(x, y):
    return asked([("lid", (x, y))], [], [(5, 100)])


def silent(what, done, total):
    assert 0 <= done <= total


def masks_of(folder):
    read = {}
    for path in sorted((folder / "masks").iterdir()):
        with Image.open(path) as image:
            read[int(path.stem)] = np.asarray(image)
    return read


def test_a_lid_is_followed_until_it_is_gone(own_store, tiny_backbone, lid_clip, true_lid, tmp_path):
    wish = Wish(str(lid_clip), lid(48, 48), 0.0, 5.0, boxes=True, film=True)
    done = follow(wish, own_store, tiny_backbone, tmp_path / "out", threads=1, tell=silent)
    masks = masks_of(tmp_path / "out")
    assert sorted(masks) == list(range(12))
    agreed = [region(masks[number] == 1, true_lid(number)) for number in range(GONE - 2)]
    assert min(agreed) > 0.6
    assert all((masks[number] == 255).all() for number in (10, 11))  # nobody knows what is there
    (absence,) = done.told.absences(1)
    assert absence.lost_s in (1.8, 2.0)
    assert (absence.last_s, absence.found_s) == (2.2, None)
    assert done.boxed in (9, 10)
    assert any("have no boxes" in note for note in done.notes)
    said = json.loads((tmp_path / "out" / "follow.json").read_text())
    assert said["marked"] == {"frame": 0, "time_s": 0.0}
    assert said["picture_hw"] == [112, 168]
    assert (said["trouble"], done.trouble) == ("", "")
    assert said["frames"][11] == {"frame": 11, "time_s": 2.2, "seen": {}}
    left, top, right, bottom = said["frames"][3]["seen"]["lid"]["box"]
    assert np.abs(np.array([left, top, right, bottom]) - (70, 28, 112, 70)).max() <= 14
    assert len(list(plain_frames(str(tmp_path / "out" / "film.mp4"), 5))) == 12
    with Image.open(tmp_path / "out" / "strip.png") as strip:
        assert strip.size == (3 * 480 + 16, 2 * 320 + 8)


def test_backwards_it_is_found_where_it_came_from(
    own_store, tiny_backbone, lid_clip, true_lid, tmp_path
):
    """From the other end of its way, with other threads: the same files."""
    wish = Wish(str(lid_clip), lid(48 + 4 * 14, 48), 0.8, 5.0, from_s=0.0, to_s=1.2)
    for name, threads in (("one", 1), ("two", 2)):
        follow(wish, own_store, tiny_backbone, tmp_path / name, threads=threads, tell=silent)
    masks = masks_of(tmp_path / "one")
    assert sorted(masks) == list(range(7))
    assert min(region(masks[number] == 1, true_lid(number)) for number in masks) > 0.6
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / name).rglob("*.*") if p.is_file()}
                for name in ("one", "two"))  # fmt: skip
    assert one == two


def test_what_cannot_be_done_leaves_nothing_behind(own_store, tiny_backbone, lid_clip, tmp_path):
    out = tmp_path / "out"

    def tried(wish):
        follow(wish, own_store, tiny_backbone, out, threads=1, tell=silent)

    with pytest.raises(UsageError, match="no such file; follow takes one recording"):
        tried(Wish(str(tmp_path), lid(48, 48), 0.0, 5.0))
    with pytest.raises(UsageError, match=r"no frame from 8.9 s on; its last one is at 2.2 s"):
        tried(Wish(str(lid_clip), lid(48, 48), 9.0, 5.0))
    with pytest.raises(UsageError, match="500,48 lies outside of the picture, which is 168x112"):
        tried(Wish(str(lid_clip), lid(500, 48), 0.0, 5.0))
    broken = tmp_path / "broken.mp4"
    broken.write_text("no video")
    with pytest.raises(SourceError, match=r"broken\.mp4"):
        tried(Wish(str(broken), lid(48, 48), 0.0, 5.0))
    assert list(tmp_path.iterdir()) == [broken]
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is there already; name another folder"):
        tried(Wish(str(lid_clip), lid(48, 48), 0.0, 5.0))
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


def test_what_lies_beside_stays_and_a_folder_needs_a_name(
    own_store, tiny_backbone, lid_clip, tmp_path, monkeypatch
):
    wish = Wish(str(lid_clip), lid(48, 48), 0.0, 5.0, to_s=0.2)
    mine = tmp_path / "out.part"
    mine.mkdir()
    (mine / "mine.txt").write_text("mine")
    for name in ("out", "other/out"):
        follow(wish, own_store, tiny_backbone, tmp_path / name, threads=1, tell=silent)
        assert (tmp_path / name).stat().st_mode == mine.stat().st_mode
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "out", "out.part"]
    assert [path.name for path in mine.iterdir()] == ["mine.txt"]
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    with pytest.raises(UsageError, match=r"-o \.: want a folder that is made, such as followed"):
        follow(wish, own_store, tiny_backbone, Path("."), threads=1, tell=silent)
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize("name", ["testsrc2_odd_height_and_width_vp9.mp4", "video_90.mov"])
def test_pictures_of_real_footage_are_as_large_as_their_masks(
    store, tiny_backbone, shared_media, tmp_path, name
):
    """Odd sides, and pictures that are stored lying on their side."""
    one = asked([("it", (60, 40))], [], [])
    wish = Wish(str(shared_media / "videos" / name), one, 0.0, 5.0, to_s=0.4, film=True)
    follow(wish, store, tiny_backbone, tmp_path / "out", threads=1, tell=silent)
    items = pairs(tmp_path / "out" / "pictures", tmp_path / "out" / "masks", MaskFile())
    said = json.loads((tmp_path / "out" / "follow.json").read_text())
    assert len(items) == len(said["frames"]) >= 1
    assert MaskFile().size_hw(items[0].partner) == tuple(said["picture_hw"])
