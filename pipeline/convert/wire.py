"""Fields of Protocol Buffers on the wire (proto3): numbers and values in, bytes out.

A default value is no bytes, as proto3 has it. Enough for what we write; nothing is read.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

_VARINT, _BYTES, _FOUR = 0, 2, 5  # wire types
_MASK = (1 << 64) - 1


def varint(value: int) -> bytes:
    """Of an int64; a negative one takes ten bytes."""
    left, encoded = value & _MASK, bytearray()
    while left > 0x7F:
        encoded.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*encoded, left])


def whole(number: int, value: int) -> bytes:
    """A field of type int32 or int64."""
    return _key(number, _VARINT) + varint(value) if value else b""


def float32(number: int, value: float) -> bytes:
    """A field of type float."""
    return _key(number, _FOUR) + struct.pack("<f", value) if value else b""


def text(number: int, value: str) -> bytes:
    """A field of type string."""
    return message(number, value.encode()) if value else b""


def message(number: int, encoded: bytes) -> bytes:
    """A field that is a message, which may be empty."""
    return _key(number, _BYTES) + delimited(encoded)


def entries(number: int, pairs: Mapping[str, str]) -> bytes:
    """A field of type map from string to string, by its keys."""
    return b"".join(message(number, text(1, name) + text(2, pairs[name])) for name in sorted(pairs))


def delimited(encoded: bytes) -> bytes:
    """A message behind its length, as files and streams of messages have them."""
    return varint(len(encoded)) + encoded


def _key(number: int, wire_type: int) -> bytes:
    return varint(number << 3 | wire_type)
