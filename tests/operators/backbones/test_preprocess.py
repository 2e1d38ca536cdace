"""uint8 frames -> normalised pixels, against the definition in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from operators.backbones.preprocess import normalise
from operators.backbones.statistics import IMAGENET


def test_values_and_layout_follow_the_definition():
    pixels = np.random.default_rng(3).integers(0, 256, (2, 14, 28, 3), dtype=np.uint8)

    got = normalise(torch.from_numpy(pixels), torch.float32)

    want = (pixels / 255 - np.array(IMAGENET.mean)) / np.array(IMAGENET.std)
    assert got.shape == (2, 3, 14, 28)
    assert got.is_contiguous()
    np.testing.assert_allclose(got.numpy(), want.transpose(0, 3, 1, 2), atol=1e-6)


def test_half_precision_is_rounded_once_at_the_end():
    pixels = torch.arange(256, dtype=torch.uint8).view(1, 16, 16, 1).expand(1, 16, 16, 3)

    got = normalise(pixels, torch.bfloat16)

    assert torch.equal(got, normalise(pixels, torch.float32).bfloat16())


@pytest.mark.parametrize(
    "wrong", [torch.zeros(1, 14, 14, 3), torch.zeros(1, 3, 14, 14, dtype=torch.uint8)]
)
def test_other_dtypes_and_layouts_are_refused(wrong):
    with pytest.raises(ValueError, match=r"must be torch.uint8 \[B, H, W, 3\], got"):
        normalise(wrong, torch.float32)
