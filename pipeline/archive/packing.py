"""Pictures of an archive in fewer bytes, and back; nothing of them is lost.

Numbers of one component are alike, from patch to patch and from frame to frame, and those of two
components are not: put together by components, frame behind frame, codes of a whole byte take half
of it (docs/archive.md).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_LEVEL = 1  # higher ones take four times as long for 7 %

Pictures = NDArray[np.uint8]


class Order(NamedTuple):
    """Which bytes of a picture are alike.

    Attributes:
        stride: those that are so far apart.
        length: of the first so many, a multiple of that; the rest is not looked at.
    """

    stride: int
    length: int


def packed(pictures: Pictures, order: Order) -> bytes:
    """
    Args:
        pictures: uint8 `[n, ...]`, of one frame each.
        order: of each of them.
    """
    if not pictures.size:
        return zlib.compress(b"", _LEVEL)
    flat, (stride, length) = pictures.reshape(len(pictures), -1), order
    alike = flat[:, :length].reshape(len(flat), length // stride, stride).transpose(2, 1, 0)
    return zlib.compress(alike.tobytes() + flat[:, length:].T.tobytes(), _LEVEL)


def unpacked(data: bytes, shape: Sequence[int], order: Order) -> Pictures:
    """What `packed` was given.

    Args:
        data: what it gave.
        shape: of the pictures.
        order: as there.

    Raises:
        ValueError: it is something else.
    """
    count, each = shape[0], int(np.prod(shape[1:]))
    size, (stride, length) = count * each, order
    stream = zlib.decompressobj()
    try:
        # One byte more than there may be: what is damaged takes no memory.
        raw = np.frombuffer(stream.decompress(data, size + 1), np.uint8)
    except zlib.error as error:
        raise ValueError(f"no pictures of an archive: {error}") from error
    if len(raw) != size or not stream.eof or stream.unused_data:
        raise ValueError(f"no pictures of an archive: {len(raw)} bytes, want {size}")
    flat = np.empty((count, each), np.uint8)
    if size:
        alike, rest = raw[: count * length], raw[count * length :]
        own = alike.reshape(stride, length // stride, count).transpose(2, 1, 0)
        flat[:, :length] = own.reshape(count, length)
        flat[:, length:] = rest.reshape(each - length, count).T
    return flat.reshape(shape)
