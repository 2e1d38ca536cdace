"""Boxes as COCO and YOLO write them, what is refused, and the things of rendered scenes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

from operators.errors import UsageError
from pipeline.errors import SourceError
from pipeline.fit.boxed import refuse_empty_labels
from pipeline.fit.coco_boxes import coco_boxes
from pipeline.fit.scenes import Scenes
from pipeline.fit.yolo_boxes import yolo_boxes
from pipeline.media.frame_size import FrameSize
from pipeline.synthetic.labels import LABELS, THINGS
from pipeline.synthetic.scene import open_scene

SIZE = FrameSize(56, 14)
Alter = Callable[[dict[str, Any]], Any]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two pictures of 100 x 80 and one of a camera that lay on its side."""
    folder = tmp_path / "pictures"
    (folder / "yard").mkdir(parents=True)
    for name in ("a.png", "yard/b.png"):
        Image.new("RGB", (100, 80)).save(folder / name)
    lying = Image.new("RGB", (80, 100))
    exif = lying.getexif()
    exif[0x0112] = 6
    lying.save(folder / "c.jpg", exif=exif)
    return folder


@pytest.fixture
def coco(tmp_path: Path) -> Callable[..., Path]:
    """`coco(lambda said: ...)`: a file that something was altered in."""

    def written(alter: Alter = lambda said: said) -> Path:
        images = [
            {"id": 7, "file_name": "a.png", "width": 100, "height": 80},
            {"id": 9, "file_name": "yard/b.png", "width": 100, "height": 80},
            {"id": 2, "file_name": "c.jpg", "width": 100, "height": 80},
        ]
        annotations = [
            {"id": 1, "image_id": 7, "category_id": 30, "bbox": [10, 20, 50, 40]},
            {"id": 2, "image_id": 7, "category_id": 4, "bbox": [0, 0, 100.1, 8], "iscrowd": 0},
            {"id": 3, "image_id": 9, "category_id": 4, "bbox": [0, 0, 20, 20], "iscrowd": 1},
            {"id": 4, "image_id": 2, "category_id": 4, "bbox": [90, 70, 10, 10]},
        ]
        categories = [{"id": 30, "name": "crate"}, {"id": 4, "name": "hen"}]
        said = {"images": images, "annotations": annotations, "categories": categories}
        path = tmp_path / "farm.json"
        path.write_text(json.dumps(alter(said) or said))
        return path

    return written


def test_coco_gives_things_in_shares_of_upright_pictures(
    pictures: Path, coco: Callable[..., Path]
) -> None:
    boxed = coco_boxes(pictures, coco())
    assert boxed.labels.name == "farm"
    assert [label.name for label in boxed.labels.labels] == ["hen", "crate"]
    first, second, third = (item.truth(SIZE) for item in boxed.items)
    assert first == pytest.approx(
        np.array([[1, 0.1, 0.25, 0.6, 0.75, 0], [0, 0, 0, 1, 0.1, 0]]), abs=1e-6
    )
    assert second[:, 5].tolist() == [1]
    assert third.shape == (1, 6)
    assert boxed.notes == ("1 boxes of crowds are neither learnt nor missed",)
    assert boxed.items[2].pixels(SIZE).shape == (56, 70, 3)
    refuse_empty_labels(boxed, Path("farm.json"))


def added(part: str, **one: Any) -> Alter:
    return lambda said: said[part].append(one)


def changed(part: str, number: int, **to: Any) -> Alter:
    return lambda said: said[part][number].update(to)


@pytest.mark.parametrize(
    ("alter", "error"),
    [
        (lambda _: [1], "want COCO's JSON with lists images, categories, annotations"),
        (lambda said: said.pop("annotations") and None, "want COCO's JSON with lists"),
        (lambda said: said["images"].clear(), "it lists no picture, or no category"),
        (lambda said: said["images"][1].pop("width") and None, r"images\[1\] has no width"),
        (changed("images", 0, file_name="x.png"), r"no picture .*pictures/x\.png"),
        (changed("images", 0, width=90), r"a\.png is 100x80 as displayed, the file says 90x80"),
        (changed("annotations", 0, bbox=[1, 2, 3]), r"annotation 1, of a\.png, has bbox \[1, 2"),
        (changed("annotations", 0, bbox=[60, 0, 50, 10]), "annotation 1, of a.png, reaches outsi"),
        (changed("annotations", 0, bbox=[60, 0, 0, 10]), r"annotation 1, of a\.png, has no area"),
        (changed("images", 1, id=7), "more than one id of images 7"),
        (changed("images", 1, file_name="a.png"), r"more than one file_name of images 'a\.png'"),
        (changed("categories", 0, name="hen"), "more than one name of categories 'hen'"),
        (changed("categories", 0, id=[4]), r"categories\[0\] has id \[4\]"),
        (changed("images", 0, file_name=3), r"images\[0\] has file_name 3"),
        (changed("annotations", 3, category_id=5), "annotation 4 is of a picture or a category"),
        (added("annotations", image_id=1, category_id=4, bbox=[0, 0, 1, 1]), "annotation 4 is of"),
    ],
)
def test_a_coco_file_that_does_not_do_is_refused_by_name(
    pictures: Path, coco: Callable[..., Path], alter: Alter, error: str
) -> None:
    with pytest.raises(UsageError, match=rf"farm\.json: .*{error}"):
        coco_boxes(pictures, coco(alter))


TRIANGLE = [[10, 20, 60, 20, 10, 60]]
RUNS = {"size": [80, 100], "counts": [800, 40, 40, 40, 7080]}


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools
def test_masks_are_read_in_all_forms_that_coco_has(
    pictures: Path, coco: Callable[..., Path]
) -> None:
    compressed = coco_mask.frPyObjects(RUNS, 80, 100)
    text = {"size": [80, 100], "counts": compressed["counts"].decode()}

    def alter(said: dict[str, Any]) -> None:
        for one, mask in zip(said["annotations"], ([*TRIANGLE], RUNS, text, []), strict=True):
            one["segmentation"] = mask

    first, second, third = coco_boxes(pictures, coco(alter)).items
    assert [one.has_masks for one in (first, second, third)] == [True, True, False]
    triangle = coco_mask.decode(coco_mask.frPyObjects(TRIANGLE, 80, 100))[..., 0]
    triangles, runs = first.masks(FrameSize(80, 1))
    np.testing.assert_array_equal(triangles, triangle)
    assert runs.sum() == 80
    assert runs[:40, 10:12].all()
    np.testing.assert_array_equal(second.masks(FrameSize(80, 1))[0], runs)
    assert first.masks(SIZE).shape == (2, 56, 70)
    assert first.masks(SIZE)[0].mean() == pytest.approx(triangle.mean(), abs=0.01)
    assert not third.masks(SIZE).any()
    assert first.mask_identity != second.mask_identity
    plain = coco_boxes(pictures, coco()).items[0]
    assert plain.truth_identity == first.truth_identity


OUTSIDE = [[10, 20, 100.3, 20, 10, 60]]


@pytest.mark.parametrize(
    ("mask", "error"),
    [
        (OUTSIDE, r"a polygon outside its picture: x 10\.0 to 100\.3, expected 0 to 100"),
        (
            [[0, -1, 5, 5, 0, 5]],
            r"a polygon outside its picture: y -1\.0 to 5\.0, expected 0 to 80",
        ),
        ([[1, 2, 3, 4]], "a polygon of 4 numbers, expected x and y of 3 corners or more"),
        ([[1, 2, 3, 4, 5, 6, 7]], "a polygon of 7 numbers"),
        ([TRIANGLE], r"a polygon \[\[10, 20, .*, expected \[x, y, x, y"),
        ([[1, 2, 3, 4, 5, float("nan")]], r"a polygon \[1, 2, 3, 4, 5, nan\], expected"),
        ("x", "segmentation 'x', expected polygons or run lengths"),
        (
            RUNS | {"size": [100, 80]},
            r"a mask of size \[100, 80\], expected \[80, 100\] as its",
        ),
        (RUNS | {"counts": [800, 40]}, "run lengths of 840 pixels, expected 8000 as its picture"),
        (RUNS | {"counts": [8001, -1]}, "run lengths that are no whole numbers from 0"),
        (RUNS | {"counts": "5 5"}, "run lengths that cannot be read: character ' '"),
        (RUNS | {"counts": None}, "run lengths None, expected a list of lengths or COCO's comp"),
    ],
)
def test_a_mask_that_does_not_do_is_refused_by_name(
    pictures: Path, coco: Callable[..., Path], mask: Any, error: str
) -> None:
    path = coco(changed("annotations", 0, segmentation=mask))
    with pytest.raises(UsageError, match=rf"farm\.json: annotation 1, of a\.png, has {error}"):
        coco_boxes(pictures, path)


def test_corners_a_little_beyond_their_picture_are_cut_off(
    pictures: Path, coco: Callable[..., Path]
) -> None:
    beyond = [[-0.1, 0, 100.2, 0, 100.2, 80.1, 0, 80.1]]
    path = coco(changed("annotations", 0, segmentation=beyond))
    assert coco_boxes(pictures, path).items[0].masks(SIZE)[0].all()


def test_a_class_without_a_box_is_refused(pictures: Path, coco: Callable[..., Path]) -> None:
    path = coco(added("categories", id=99, name="fox"))
    with pytest.raises(UsageError, match=r"farm\.json: no box of class fox; leave it out"):
        refuse_empty_labels(coco_boxes(pictures, path), path)


def test_what_is_no_json_and_no_picture_is_refused(
    pictures: Path, coco: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(UsageError, match=r"x\.json: cannot be read as JSON"):
        coco_boxes(pictures, tmp_path / "x.json")
    (pictures / "a.png").write_text("no picture")
    with pytest.raises(SourceError, match=r"a\.png: cannot be read as a picture"):
        coco_boxes(pictures, coco())


@pytest.fixture
def yolo(tmp_path: Path) -> Callable[..., Path]:
    """`yolo(**{"a.txt": "0 0.5 0.5 0.2 0.2"})`: a folder of text files."""

    def written(**files: str) -> Path:
        folder = tmp_path / "labels"
        (folder / "yard").mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text)
        return folder

    return written


def test_yolo_gives_things_of_pictures_with_the_same_names(
    pictures: Path, yolo: Callable[..., Path]
) -> None:
    folder = yolo(**{"a.txt": "1 0.5 0.5 0.2 0.4\n\n0 .1 .1 .2 .2\n", "yard/b.txt": ""})
    boxed = yolo_boxes(pictures, folder)
    assert [label.name for label in boxed.labels.labels] == ["class 0", "class 1"]
    truths = {item.picture.name: item.truth(SIZE) for item in boxed.items}
    assert truths["a.png"] == pytest.approx(
        np.array([[1, 0.4, 0.3, 0.6, 0.7, 0], [0, 0, 0, 0.2, 0.2, 0]]), abs=1e-6
    )
    assert truths["b.png"].shape == truths["c.jpg"].shape == (0, 6)
    assert boxed.notes == ("1 pictures have no text file: they show nothing",)
    yolo(**{"classes.txt": "hen\ncrate\n"})
    named = yolo_boxes(pictures, folder).labels
    assert [label.name for label in named.labels] == ["hen", "crate"]


@pytest.mark.parametrize(
    ("files", "error"),
    [
        ({"a.txt": "0 0.5 0.5 0.2"}, r"a\.txt, line 1, is '0 0\.5 0\.5 0\.2', expected class"),
        ({"a.txt": "0 .5 .5 .2 .2\nhen .5 .5 .2 .2"}, r"a\.txt, line 2, .* five numbers"),
        ({"a.txt": "0.5 .5 .5 .2 .2"}, r"a\.txt, line 1, .* five numbers"),
        ({"a.txt": "0 nan .5 .2 .2"}, r"a\.txt, line 1, .* five numbers"),
        ({"a.txt": "0 .95 .5 .2 .2"}, r"line 1, reaches outside: .* 0\.850, 0\.400, 1\.050"),
        ({"a.txt": "0 .5 .5 0 .2"}, r"a\.txt, line 1, has no area"),
        ({"z.txt": "0 .5 .5 .2 .2"}, r"no picture in .*pictures for .*z\.txt"),
        ({"a.txt": ""}, "there is no box in any of its text files"),
        ({"a.txt": "2 .5 .5 .2 .2", "classes.txt": "hen"}, "names 1 classes, a box is of class 2"),
    ],
)
def test_text_files_that_do_not_do_are_refused_by_name(
    pictures: Path, yolo: Callable[..., Path], files: dict[str, str], error: str
) -> None:
    with pytest.raises(UsageError, match=error):
        yolo_boxes(pictures, yolo(**files))


def test_empty_folders_are_refused(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(UsageError, match=r"none: no file there ends in \.bmp, \.jpeg"):
        yolo_boxes(tmp_path / "none", pictures)
    with pytest.raises(UsageError, match=r"none: no file there ends in \.txt"):
        yolo_boxes(pictures, tmp_path / "none")


def test_masks_of_a_scene_are_what_is_seen_of_its_things() -> None:
    scenes = Scenes("world", range(3, 4), frames=2, seconds=2, sizes_wh=((112, 56),))
    for item in scenes.items("detect", SIZE):
        seen = open_scene(item.spec).instances(item.index)
        masks, truth = item.masks(SIZE), item.truth(SIZE)
        assert item.has_masks
        assert masks.shape == (len(truth), 56, 112)
        for mask, one in zip(masks, seen.seen, strict=True):
            np.testing.assert_array_equal(mask, seen.mask == one.id)


def test_things_of_a_scene_are_its_own_and_specks_do_not_count() -> None:
    scenes = Scenes("world", range(3, 5), frames=2, seconds=2, sizes_wh=((112, 56),))
    items = scenes.items("detect", SIZE)
    assert len(items) == 4
    counted = lax = 0
    for item in items:
        seen = open_scene(item.spec).instances(item.index).seen
        truth = item.truth(SIZE)
        assert len(truth) == len(seen)
        for row, one in zip(truth, seen, strict=True):
            assert THINGS.labels[int(row[0])].name == one.label
            assert row[1:5] * [112, 56, 112, 56] == pytest.approx(one.box, abs=1e-4)
            assert row[5] == (one.visible_pixels < 49)  # a quarter of a patch
        counted += int((truth[:, 5] == 0).sum())
        lax += int(truth[:, 5].sum())
    assert counted
    assert lax
    assert {label.name for label in THINGS.labels} < {label.name for label in LABELS.labels}
