"""JPEG files as a browser meets them."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from operators import jpeg as module
from operators.jpeg import BEST, jpeg, jpeg_identity


def slopes(size_hw: tuple[int, int]) -> NDArray[np.uint8]:
    """Red rises downwards, green to the right."""
    down, across = (np.linspace(0, 255, side) for side in size_hw)
    planes = np.meshgrid(down, across, indexing="ij")
    return np.stack([*planes, np.full(size_hw, 90.0)], axis=-1).astype(np.uint8)


def opened(data: bytes) -> NDArray[np.int64]:
    image = Image.open(BytesIO(data))
    assert (image.format, image.mode) == ("JPEG", "RGB")
    return np.asarray(image, dtype=np.int64)


@pytest.mark.parametrize("size_hw", [(112, 196), (196, 112), (56, 98), (61, 107), (1, 2)])
def test_it_is_the_picture_at_the_size_that_was_asked_for(size_hw: tuple[int, int]) -> None:
    got = opened(jpeg(slopes((112, 196)), size_hw, BEST))
    assert got.shape == (*size_hw, 3)
    if min(size_hw) > 1:
        assert np.abs(got - slopes(size_hw)).max() < 12


def test_less_quality_is_fewer_bytes() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (56, 56, 3), dtype=np.uint8)
    sizes = [len(jpeg(noise, (56, 56), quality)) for quality in (1, 50, BEST)]
    assert sizes == sorted(set(sizes))


def test_equal_pixels_are_equal_bytes_also_from_a_view() -> None:
    wide = slopes((60, 80))
    view = wide[::2, ::2]
    view.flags.writeable = False
    assert jpeg(view, (20, 30), 75) == jpeg(view.copy(), (20, 30), 75)


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (0, 8, 3)])
def test_what_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"want uint8 \[H, W, 3\]"):
        jpeg(np.zeros(shape, dtype=np.uint8), (8, 8), 75)


@pytest.mark.parametrize("changed", ["encoder", "scaler"])
def test_another_way_to_make_bytes_is_another_identity(
    monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    ours = jpeg_identity()
    assert len(ours) == 12
    if changed == "encoder":
        monkeypatch.setattr(module, "jpeg", lambda *given: jpeg(*given)[:-2])
    else:
        monkeypatch.setattr(module, "_FILTER", Image.Resampling.BILINEAR)
    jpeg_identity.cache_clear()
    assert jpeg_identity() != ours
    monkeypatch.undo()
    jpeg_identity.cache_clear()
    assert jpeg_identity() == ours
