"""Raw H.264 from a camera: nothing but pictures, and not many are awaited to open it."""

from __future__ import annotations

import io
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import av
import numpy as np
import pytest

from pipeline.media.container import open_video
from pipeline.media.h264 import _Bits
from pipeline.media.transfer import Transfer
from tests.serving import serving

FRAMES, SENT = 120, 32  # of these so many are sent before it is open
KINDS = {
    "plain": {"preset": "ultrafast", "tune": "zerolatency"},
    "b pictures": {"preset": "medium", "bf": "3"},
    "as many as can be": {"preset": "slow", "bf": "16", "b-pyramid": "normal", "b_strategy": "0"},
}


def numbered(number: int) -> av.VideoFrame:
    """It shows its number, bit by bit, above noise: libav asks for 2 KiB at least."""
    pixels = np.random.default_rng(0).integers(0, 256, (64, 128, 3), np.uint8)
    for bit in range(8):
        pixels[:32, 16 * bit : 16 * bit + 16] = 255 * (number >> bit & 1)
    return av.VideoFrame.from_ndarray(pixels, format="rgb24")


def number_of(frame: av.VideoFrame) -> int:
    row = frame.to_ndarray(format="gray")[16, 8::16]
    return sum(int(value > 128) << bit for bit, value in enumerate(row))


def encoded(options: dict[str, str]) -> list[bytes]:
    """A packet per picture, in the order in which they are sent."""
    with av.open(io.BytesIO(), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=25, width=128, height=64, pix_fmt="yuv420p")
        stream.codec_context.options = options
        frames = [*map(numbered, range(FRAMES)), None]
        return [bytes(packet) for frame in frames for packet in stream.encode(frame)]


def untold(picture: bytes) -> bytes:
    """Its sequence parameter set does not say how far pictures are reordered, nor anything else
    that it need not: without VUI (ITU-T H.264, 7.3.2.1.1), as cheap cameras have it."""
    units = picture.split(b"\0\0\1")
    told = [_without_vui(one) if one and one[0] & 31 == 7 else one for one in units]
    return b"\0\0\1".join(told)


def _without_vui(unit: bytes) -> bytes:
    bits = _Bits(unit[1:])
    high = bits.u(8) == 100
    bits.u(16)
    bits.ue()
    if high:
        assert [bits.ue(), bits.ue(), bits.ue(), bits.u(2)] == [1, 0, 0, 0]
    bits.ue()
    if bits.ue() == 0:  # pic_order_cnt_type
        bits.ue()
    bits.ue()
    bits.u(1)
    bits.ue()
    bits.ue()
    assert bits.u(1), "frames only"
    assert not bits.u(2) & 1, "not cropped"
    kept = bits._at
    assert bits.u(1), "there is a VUI"
    whole = int.from_bytes(bits._data) >> (8 * len(bits._data) - kept)
    pad = -(kept + 2) % 8
    payload = (((whole << 2) | 1) << pad).to_bytes((kept + 2 + pad) // 8)
    assert b"\0\0" not in payload, "nothing to escape"
    return unit[:1] + payload


@contextmanager
def camera(pictures: list[bytes], opened: threading.Event) -> Iterator[str]:
    """Sends the first pictures, and the others when it is told that it is open."""

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline() not in (b"\r\n", b""):
                pass
            with suppress(OSError):
                self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: video/h264\r\n\r\n")
                self.wfile.write(b"".join(pictures[:SENT]))
                assert opened.wait(60)
                self.wfile.write(b"".join(pictures[SENT:]))

    with serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk)) as server:
        yield f"http://127.0.0.1:{server.server_address[1]}/live"


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_open_before_long_and_every_picture_comes_in_its_order(kind: str, told: bool) -> None:
    pictures = encoded(KINDS[kind])
    if not told:
        pictures = [untold(one) for one in pictures]
    opened = threading.Event()
    with camera(pictures, opened) as url:
        try:
            source = open_video(url, max_pixels=1 << 20, timeout_s=5, transfer=Transfer(live=True))
        finally:
            opened.set()
        shown = [number_of(frame) for frame in source.container.decode(source.stream)]
        source.close()
    assert shown == list(range(FRAMES))
