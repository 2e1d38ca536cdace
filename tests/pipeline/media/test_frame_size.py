"""How large frames are at the model: aspect kept, sides multiples of its patch."""

from __future__ import annotations

import pytest

from pipeline.media.frame_size import FrameSize


@pytest.mark.parametrize(
    ("source_hw", "short_side", "expected"),
    [
        ((360, 640), 224, (224, 392)),
        ((640, 360), 224, (392, 224)),
        ((256, 340), 224, (224, 294)),
        ((241, 321), 224, (224, 294)),
        ((1080, 1920), 518, (518, 924)),
        ((100, 100), 14, (14, 14)),
        ((10, 10_000), 224, (224, 1792)),
        ((2, 2), 225, (224, 224)),
        ((300, 300), 232, (238, 238)),
    ],
)
def test_sides_of_dinov2(source_hw, short_side, expected):
    assert FrameSize(short_side, 14).of(source_hw) == expected


@pytest.mark.parametrize(
    ("source_hw", "short_side", "expected"),
    [
        ((360, 640), 224, (224, 400)),
        ((640, 360), 232, (416, 240)),
        ((1080, 1920), 512, (512, 912)),
        ((10, 10_000), 32, (32, 256)),
        ((2, 2), 16, (16, 16)),
    ],
)
def test_sides_of_a_patch_of_16(source_hw, short_side, expected):
    assert FrameSize(short_side, 16).of(source_hw) == expected


@pytest.mark.parametrize(("short_side", "patch"), [(13, 14), (15, 16), (0, 14)])
def test_a_side_that_holds_no_patch_is_refused(short_side, patch):
    with pytest.raises(ValueError, match=f"at least {patch} pixels, .* got {short_side}"):
        FrameSize(short_side, patch)
