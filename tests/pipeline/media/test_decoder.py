"""What comes out of a decoder, and what it says was lost."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
import pytest

from pipeline.media.decoder import Decoder
from pipeline.media.picture import Loss, Picture

DELIMITER = b"\0\0\0\1\x09\x30"  # of an access unit: a camera was killed behind it
TORN = b"\0\0\0\1\x41\x9a"  # a slice of which next to nothing came


def packets(count: int) -> list[bytes]:
    """H.264 as cameras send it: no reordering, parameter sets in the stream."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 64, 48, "yuv420p"
    encoder.time_base = Fraction(1, 10)
    encoder.options = {"tune": "zerolatency"}
    pictures = [np.full((48, 64, 3), 20 * k, np.uint8) for k in range(count)]
    encoded = [encoder.encode(av.VideoFrame.from_ndarray(one)) for one in pictures]
    return [bytes(one) for some in [*encoded, encoder.encode(None)] for one in some]


def decoded(decoder: Decoder, data: list[bytes]) -> Iterator[Picture | Loss]:
    for index, one in enumerate(data):
        packet = av.Packet(one)
        packet.pts = index
        packet.is_keyframe = index == 0
        yield from decoder.decode(packet, 1)
    yield from decoder.decode(None, 1)


@pytest.mark.parametrize(("tail", "lost"), [(DELIMITER, 0), (TORN, 1)])
def test_a_tail_without_a_picture_is_no_lost_frame(tail: bytes, lost: int) -> None:
    decoder = Decoder(av.CodecContext.create("h264", "r"), keyframes=False, max_pixels=10_000)
    came = list(decoded(decoder, [*packets(4), tail]))
    assert sum(isinstance(one, Picture) for one in came) == 4
    assert sum(one.frames for one in came if isinstance(one, Loss)) == lost
