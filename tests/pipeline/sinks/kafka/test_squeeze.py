"""What is squeezed, and what is left as it is."""

from __future__ import annotations

import gzip
import hashlib

from pipeline.sinks.kafka.squeeze import squeezed

NOISE = hashlib.shake_128(b"noise").digest(200_000)
TEXT = b'{"unit":"m","grid":[[39.543,35.914,34.062],[18.477,19.277,25.77]]}' * 3000


def test_text_comes_back_from_a_fraction_of_its_size():
    assert gzip.decompress(squeezed(TEXT)) == TEXT
    assert len(squeezed(TEXT)) < len(TEXT) / 20


def test_what_stays_as_large_is_left_as_it_is():
    assert squeezed(NOISE) is NOISE


def test_pictures_between_headers_that_repeat_are_squeezed_where_that_gains_a_tenth():
    header = b"ce_specversion 1.0 ce_dataschema urn:dinostream:schemas:depth.v1" * 16
    small = b"".join(header + NOISE[start : start + 3000] for start in range(0, 90_000, 3000))
    assert gzip.decompress(squeezed(small)) == small


def test_little_is_always_tried():
    assert gzip.decompress(squeezed(b"")) == b""
    assert gzip.decompress(squeezed(NOISE[:1000])) == NOISE[:1000]
