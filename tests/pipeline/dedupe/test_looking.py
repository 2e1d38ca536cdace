"""Pictures are looked at as frames of a job are."""

import numpy as np
import pytest

from operators.frames import FrameBatch, FrameInfo
from operators.vector.embedding import Embedding
from pipeline.dedupe.looking import Looking


def test_pictures_of_several_sizes_have_the_vectors_that_embedding_publishes(tiny_backbone):
    draw = np.random.default_rng(0)
    shapes = [(28, 42), (28, 28), (28, 42), (28, 28), (28, 42)]
    pictures = [draw.integers(0, 256, (*shape, 3)).astype(np.uint8) for shape in shapes]
    found = Looking(tiny_backbone, 28)(pictures)
    for picture, vector in zip(pictures, found, strict=True):
        batch = FrameBatch((FrameInfo.of_picture(),), picture[None])
        (result,) = Embedding()(tiny_backbone(batch))
        assert vector == pytest.approx(np.frombuffer(result.data, "<f4"), abs=1e-6)


def test_larger_pictures_are_made_as_small_as_frames_are(tiny_backbone):
    large = np.full((112, 168, 3), 90, np.uint8)
    small = np.full((28, 42, 3), 90, np.uint8)
    found = Looking(tiny_backbone, 28)([large, small])
    assert found[0] == pytest.approx(found[1], abs=1e-3)
