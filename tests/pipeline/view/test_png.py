"""The page's own decoder of PNGs: every bit of every kind that a record may have comes back."""

import base64
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from operators.png import grey16_png

pytestmark = pytest.mark.slow

SCRIPT = """
import { decode } from "./png.js";
for (const text of given) {
  const bytes = Uint8Array.from(Buffer.from(text, "base64"));
  try {
    const { width, height, channels, values } = await decode(bytes.buffer);
    said.push([width, height, channels, [...values]]);
  } catch (error) {
    said.push(error.message);
  }
}
"""
CHANNELS = {0: 1, 2: 3, 3: 1}
KINDS = (
    [(0, bits) for bits in (1, 2, 4, 8, 16)] + [(2, 8), (2, 16)] + [(3, b) for b in (1, 2, 4, 8)]
)


@pytest.fixture
def decoded(javascript):
    return lambda *pngs: javascript(SCRIPT, [base64.b64encode(png).decode() for png in pngs])


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, bits, colour_type, rows, *, interlaced=0):
    """A PNG of rows that have their filter bytes already; the picture comes in two parts."""
    head = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, interlaced)
    packed = zlib.compress(rows)
    parts = packed[: len(packed) // 2], packed[len(packed) // 2 :]
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"PLTE", bytes(768))
        + b"".join(chunk(b"IDAT", part) for part in parts)
        + chunk(b"IEND", b"")
    )


def packed_rows(values, bits):
    """Rows of numbers as bytes, the first number in the highest bits."""
    if bits >= 8:
        return [row.astype(">u2" if bits == 16 else "u1").tobytes() for row in values]
    spread = (values[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    return [np.packbits(row.ravel().astype(np.uint8)).tobytes() for row in spread]


def filtered(rows, step):
    """Each row by the next of the five filters, as the specification has them."""
    done, above = [], bytes(len(rows[0]))
    for number, row in enumerate(rows):
        kind = number % 5
        out = bytearray([kind])
        for x, byte in enumerate(row):
            left = row[x - step] if x >= step else 0
            corner = above[x - step] if x >= step else 0
            out.append((byte - guess(kind, left, above[x], corner)) % 256)
        done.append(bytes(out))
        above = row
    return b"".join(done)


def guess(kind, left, up, corner):
    nearest = min((left, up, corner), key=lambda one: abs(left + up - corner - one))
    return (0, left, up, (left + up) // 2, nearest)[kind]


@pytest.mark.parametrize(("colour_type", "bits"), KINDS)
def test_every_kind_and_every_filter_gives_back_what_was_put_in(decoded, colour_type, bits):
    channels = CHANNELS[colour_type]
    width, height = 13, 11
    values = np.random.default_rng(bits).integers(0, 1 << bits, (height, width * channels))
    rows = filtered(packed_rows(values, bits), max(1, channels * bits // 8))
    (found,) = decoded(png(width, height, bits, colour_type, rows))
    assert found == [width, height, channels, values.ravel().tolist()]


def test_what_our_records_and_pillow_write_is_read(decoded):
    depth = np.random.default_rng(1).integers(0, 65536, (32, 57), dtype=np.uint16)
    classes = np.random.default_rng(2).integers(0, 12, (9, 31), dtype=np.uint8)
    image = Image.fromarray(classes, mode="P")
    image.putpalette(list(range(36)))
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    first, second = decoded(grey16_png(depth), file.getvalue())
    assert first == [57, 32, 1, depth.ravel().tolist()]
    assert second == [31, 9, 1, classes.ravel().tolist()]


def test_what_cannot_be_read_says_why(decoded):
    rows = filtered(packed_rows(np.zeros((2, 2), int), 8), 1)
    whole = png(2, 2, 8, 0, rows)
    said = decoded(
        b"GIF89a" + bytes(40),
        png(2, 2, 8, 6, rows),
        png(2, 2, 8, 0, rows, interlaced=1),
        png(1 << 20, 1 << 20, 8, 0, rows),
        png(2, 2, 8, 0, rows * 1000),
        png(2, 3, 8, 0, rows),
        png(2, 2, 8, 0, b"\x09" + rows[1:]),
        whole[:33],
    )
    assert said == [
        "This is no PNG.",
        "The PNG has colour type 6 with 8 bits, which no record has.",
        "The PNG is interlaced, which no record is.",
        "The PNG says it is 1048576x1048576.",
        "The PNG holds more than its size says.",
        "The PNG breaks off.",
        "The PNG has a filter 9, which there is not.",
        "The PNG has no picture.",
    ]
