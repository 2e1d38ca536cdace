"""PNG files as a consumer meets them."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from operators import png
from operators.png import grey16_png, palette_png, png_identity, rgb_png


def test_grey_values_survive_and_are_16_bit() -> None:
    values = np.arange(60, dtype=np.uint16).reshape(6, 10) * 1111
    values[0, :2] = 0, 65535

    image = Image.open(BytesIO(grey16_png(values)))

    assert image.format == "PNG"
    assert image.mode == "I;16"
    assert image.size == (10, 6)
    np.testing.assert_array_equal(np.asarray(image), values)


@pytest.mark.parametrize("colours", [1, 2, 3, 16, 17, 150, 256])
def test_palette_ids_and_colours_survive_at_8_bits(colours: int) -> None:
    palette = [(i, 255 - i, i // 2) for i in range(colours)]
    ids = (np.arange(63) % colours).astype(np.uint8).reshape(7, 9)

    data = palette_png(ids, palette)
    image = Image.open(BytesIO(data))

    assert image.mode == "P"
    assert data[24:26] == b"\x08\x03"  # IHDR: 8 bits, palette
    np.testing.assert_array_equal(np.asarray(image), ids)
    np.testing.assert_array_equal(np.asarray(image.convert("RGB")), np.array(palette)[ids])


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 9), (9, 1), (33, 47)])
def test_pictures_of_any_size_survive(size_hw: tuple[int, int]) -> None:
    draw = np.random.default_rng(0)
    grey = draw.integers(0, 1 << 16, size_hw, dtype=np.uint16)
    ids = draw.integers(0, 256, size_hw, dtype=np.uint8)
    pixels = draw.integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    for data, values in (
        (grey16_png(grey), grey),
        (palette_png(ids, [(0, 0, 0)] * 256), ids),
        (rgb_png(pixels), pixels),
    ):
        image = Image.open(BytesIO(data))
        image.verify()  # checksums
        np.testing.assert_array_equal(np.asarray(Image.open(BytesIO(data))), values)


def test_another_way_to_compress_is_another_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = png_identity()
    assert len(ours) == 12
    monkeypatch.setattr(png, "_LEVEL", 6)  # as another zlib would: other matches
    png_identity.cache_clear()
    assert png_identity() != ours
    monkeypatch.undo()
    png_identity.cache_clear()
    assert png_identity() == ours


def test_equal_maps_are_equal_bytes_also_from_a_view() -> None:
    wide = np.arange(400, dtype=np.uint16).reshape(20, 20)
    view = wide[::2, ::2]
    assert grey16_png(view) == grey16_png(view.copy())
    assert grey16_png(wide.T) == grey16_png(wide.T.copy())
    small = wide.astype(np.uint8)[::2, 1::2]
    assert palette_png(small, [(0, 0, 0)] * 256) == palette_png(small.copy(), [(0, 0, 0)] * 256)


def test_what_cannot_be_a_map_is_refused() -> None:
    with pytest.raises(ValueError, match="uint16"):
        grey16_png(np.zeros((2, 2), dtype=np.uint8))
    with pytest.raises(ValueError, match=r"\[H, W\]"):
        palette_png(np.zeros((2, 2, 1), dtype=np.uint8), [(0, 0, 0)])
    with pytest.raises(ValueError, match="id 3 has no colour among 3"):
        palette_png(np.full((2, 2), 3, dtype=np.uint8), [(0, 0, 0)] * 3)
    with pytest.raises(ValueError, match=r"uint8 \[H, W, 3\]"):
        rgb_png(np.zeros((2, 2), dtype=np.uint8))
