"""Pictures of an archive in fewer bytes, and back; nothing of them is lost.

Numbers of one component are alike, from patch to patch and from frame to frame, and those of two
components are not: put together by components, frame behind frame, codes of a whole byte take half
of it (docs/archive.md).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_LEVEL = 1  # higher ones take four times as long for 7 %

Pictures = NDArray[np.uint8]


def packed(pictures: Pictures, stride: int) -> bytes:
    """
    Args:
        pictures: uint8 `[n, ...]`, of one frame each.
        stride: bytes of a picture that are so far apart are alike.
    """
    flat = pictures.reshape(len(pictures), -1) if pictures.size else np.empty((0, 0), np.uint8)
    whole = flat.shape[1] // stride * stride
    alike = flat[:, :whole].reshape(len(flat), whole // stride, stride).transpose(2, 1, 0)
    return zlib.compress(alike.tobytes() + flat[:, whole:].T.tobytes(), _LEVEL)


def unpacked(data: bytes, shape: Sequence[int], stride: int) -> Pictures:
    """What `packed` was given.

    Args:
        data: what it gave.
        shape: of the pictures.
        stride: as there.

    Raises:
        ValueError: it is something else.
    """
    count, each = shape[0], int(np.prod(shape[1:]))
    size, whole = count * each, each // stride * stride
    stream = zlib.decompressobj()
    try:
        # One byte more than there may be: what is damaged takes no memory.
        raw = np.frombuffer(stream.decompress(data, size + 1), np.uint8)
    except zlib.error as error:
        raise ValueError(f"no pictures of an archive: {error}") from error
    if len(raw) != size or not stream.eof or stream.unused_data:
        raise ValueError(f"no pictures of an archive: {len(raw)} bytes, want {size}")
    flat = np.empty((count, each), np.uint8)
    alike, rest = raw[: count * whole], raw[count * whole :]
    if size:
        own = alike.reshape(stride, whole // stride, count).transpose(2, 1, 0)
        flat[:, :whole] = own.reshape(count, whole)
        flat[:, whole:] = rest.reshape(each - whole, count).T
    return flat.reshape(shape)
