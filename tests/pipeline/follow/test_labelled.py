"""What is written is what `fit segmentation`, `fit detect` and pycocotools read."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO

from pipeline.fit.coco_boxes import coco_boxes
from pipeline.fit.mask_labels import read_labels
from pipeline.fit.pairs import pairs
from pipeline.fit.truth_files import MaskFile
from pipeline.follow.asked import asked
from pipeline.follow.carried import Mask, Sighting
from pipeline.follow.labelled import Labelled
from pipeline.media.frame_size import FrameSize

LABELS = asked([("cup, red", (1, 1)), ("hand", (2, 2))], [], []).labels
SIZE_HW = (40, 60)


def mask(number, **boxes):
    ids, seen = np.zeros(SIZE_HW, np.uint8), {}
    for name, (left, top, right, bottom) in boxes.items():
        id_ = {"cup": 1, "hand": 2}[name]
        ids[top:bottom, left:right] = id_
        seen[id_] = Sighting((right - left) * (bottom - top), (left, top, right, bottom))
    return Mask(number, ids, seen)


MASKS = (
    mask(7, cup=(5, 6, 25, 16), hand=(40, 0, 60, 40)),
    mask(8, cup=(6, 6, 26, 16)),  # the hand is lost
    mask(6, cup=(4, 6, 24, 16), hand=(39, 0, 60, 40)),
)


@pytest.fixture
def folder(tmp_path):
    labelled = Labelled(tmp_path, LABELS)
    for one in MASKS:
        labelled.add_mask(one)
        labelled.add_boxes(one)
        labelled.add_picture(one.number, np.full((*SIZE_HW, 3), 90, np.uint8))
    assert labelled.write_boxes() == 2
    np.testing.assert_array_equal(labelled.ids(7), MASKS[0].ids)
    return tmp_path


def test_fit_segmentation_reads_the_masks(folder):
    items = pairs(folder / "pictures", folder / "masks", MaskFile())
    labels = read_labels(folder / "labels.csv", name="labels")
    assert [label.name for label in labels.labels] == ["background", "cup, red", "hand"]
    assert labels.palette == LABELS.palette
    truths = [item.truth(FrameSize(40, 1)) for item in items]
    for truth, one in zip(truths, sorted(MASKS, key=lambda one: one.number), strict=True):
        lost = len(one.seen) < 2
        expected = np.where(one.ids == 0, 255, one.ids) if lost else one.ids
        np.testing.assert_array_equal(truth, expected)


def test_fit_detect_reads_the_boxes(folder):
    boxed = coco_boxes(folder / "pictures", folder / "coco.json")
    assert [label.name for label in boxed.labels.labels] == ["cup, red", "hand"]
    rows = {item.picture.name: np.array(item.rows) for item in boxed.items}
    assert all(item.has_masks for item in boxed.items)
    assert set(rows) == {"000006.jpg", "000007.jpg"}  # nothing is said of where the hand is lost
    np.testing.assert_allclose(
        rows["000007.jpg"],
        [[0, 5 / 60, 6 / 40, 25 / 60, 16 / 40, 0], [1, 40 / 60, 0, 1, 1, 0]],
    )


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools
def test_cocos_own_reader_gets_the_masks_back(folder):
    with contextlib.redirect_stdout(io.StringIO()):
        read = COCO(str(folder / "coco.json"))
    for one in MASKS[::2]:
        for annotation in read.loadAnns(read.getAnnIds(one.number)):
            decoded = read.annToMask(annotation)
            np.testing.assert_array_equal(decoded, one.ids == annotation["category_id"])
            assert annotation["area"] == decoded.sum()
