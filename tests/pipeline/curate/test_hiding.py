"""Classes are hidden where the head of replay finds them, and nowhere else."""

from contextlib import closing

import numpy as np
import pytest

from operators.backbones.architectures import architecture
from operators.errors import UsageError
from operators.frames import FrameBatch, FrameInfo
from operators.pictures.hiding import hide
from operators.weights.load import load_backbone
from pipeline.curate.hiding import Hiding, finder
from pipeline.features.backbone import feature_backbone
from pipeline.media.frame_size import FrameSize
from pipeline.media.still import scaled

SIZE = FrameSize(56, 14)


@pytest.fixture(scope="module")
def found():
    """A backbone and a head of random weights, which knows ADE20K's classes."""
    loaded = load_backbone(architecture("dinov2_vitti14"), "random")
    segmentation = finder(loaded, "random", seed=0, heads={})
    with closing(feature_backbone(loaded, threads=1, blocks=segmentation.layers)) as backbone:
        yield backbone, segmentation


def picture():
    draw = np.random.default_rng(0)
    coarse = draw.integers(0, 256, (8, 12, 3)).astype(np.uint8)
    return np.kron(coarse, np.ones((14, 14, 1), np.uint8))


def test_what_is_found_is_hidden_and_nothing_else(found):
    backbone, segmentation = found
    pixels = picture()
    Hiding(backbone, segmentation, [], SIZE)
    frame = scaled(pixels, SIZE)
    features = backbone(FrameBatch((FrameInfo.of_picture((112, 168)),), frame[None]))
    ids = np.asarray(segmentation.compute(features, slice(0, 1))[0][0])
    names = segmentation.labels.labels
    seen, counts = np.unique(ids, return_counts=True)
    one = names[seen[counts.argmin()]].name
    bare = Hiding(backbone, segmentation, [one], SIZE)(pixels)
    hidden = [label.id for label in names if label.name == one]
    assert (bare == hide(pixels, np.isin(ids, hidden), 28)).all()
    assert (bare != pixels).any()
    absent = next(label.name for label in names if label.id not in seen)
    assert (Hiding(backbone, segmentation, [absent], SIZE)(pixels) == pixels).all()


def test_a_class_that_nothing_finds_is_named(found):
    with pytest.raises(UsageError, match="--blur: the label set ade20k has no class 'persn'"):
        Hiding(*found, ["persn"], SIZE)


def test_the_demo_weights_find_no_people():
    loaded = load_backbone(architecture("dinov2_vitti14"), "demo")
    segmentation = finder(loaded, "demo", seed=0, heads={})
    with (
        closing(feature_backbone(loaded, threads=1, blocks=segmentation.layers)) as backbone,
        pytest.raises(UsageError, match="has no class 'person'"),
    ):
        Hiding(backbone, segmentation, ["person"], SIZE)
