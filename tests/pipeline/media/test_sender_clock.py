"""What packets tell of their sender's clock; `tests/live/test_capture.py` has real reports."""

from __future__ import annotations

import contextlib
import struct
from fractions import Fraction
from io import BytesIO

import av
import pytest
from av.packet import Packet, PacketSideData, packet_sidedata_type_from_literal

from pipeline.media.container import open_bytes
from pipeline.media.reel import VideoReel
from pipeline.media.sender_clock import SenderClock
from pipeline.media.transfer import Transfer

BEGAN_US = 1_795_348_800_250_000
BEGAN = "2026-11-22T12:00:00.250000Z"
TICK = Fraction(1, 90_000)


def film(form: str, first_pts: int, creation_time: str = "") -> bytes:
    """Five pictures, 100 ms apart."""
    file = BytesIO()
    with av.open(file, "w", format=form) as out:
        if creation_time:
            out.metadata["creation_time"] = creation_time
        stream = out.add_stream("mpeg4", rate=10, width=64, height=48, pix_fmt="yuv420p")
        for number in range(5):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([20 * number]) * plane.buffer_size)
            frame.pts, frame.time_base = first_pts + number, Fraction(1, 10)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return file.getvalue()


def told(answering, data: bytes) -> list[int | None]:
    """What is known of the clock with each picture's wall time taken off it."""
    with answering(b"HTTP/1.0 200 OK\r\n\r\n", data) as url:
        reel = VideoReel.open(
            url, keyframes=False, max_pixels=1 << 24, timeout_s=50, transfer=Transfer(live=True)
        )
        with contextlib.closing(reel):
            assert reel.sender is not None
            assert not reel.sender.reports
            return [reel.sender.zero_us for picture in reel.pictures() if picture]


@pytest.mark.parametrize("form", ["matroska", "nut"])
@pytest.mark.parametrize("first_pts", [0, 70])
def test_a_live_container_tells_when_it_began(answering, form: str, first_pts: int) -> None:
    zeros_us = told(answering, film(form, first_pts, BEGAN))
    assert {zero_us and zero_us + first_pts * 100_000 for zero_us in zeros_us} == {BEGAN_US}


def test_one_that_does_not_tell_is_unknown(answering) -> None:
    assert set(told(answering, film("matroska", 0))) == {None}


def report(pts: int | None, wall_us: int | None) -> Packet:
    """A packet as libav's RTP demuxer gives it, `wall_us` behind a first report."""
    packet = Packet(b"picture")
    packet.pts = pts
    if wall_us is not None:
        data = PacketSideData(packet_sidedata_type_from_literal("prft"), 16)
        data.update(struct.pack("=qq", wall_us, 24))
        packet.set_sidedata(data)
    return packet


@pytest.fixture
def camera() -> SenderClock:
    with contextlib.closing(open_bytes(film("matroska", 0), max_pixels=1 << 24)) as opened:
        clock = SenderClock(opened.container.format.name, opened.creation_time_us, TICK)
    clock.reports = True
    return clock


def test_a_report_counts_when_two_packets_say_the_same(camera) -> None:
    """The first has the time of the one behind it."""
    camera.see(report(0, None))
    assert camera.zero_us is None
    camera.see(report(9_000, BEGAN_US + 200_000))
    assert camera.zero_us is None
    camera.see(report(18_000, BEGAN_US + 200_000))
    assert camera.zero_us is None
    camera.see(report(27_000, BEGAN_US + 300_001))
    assert camera.zero_us == BEGAN_US + 1


def test_the_newest_report_counts(camera) -> None:
    for number in range(3):
        camera.see(report(9_000 * number, BEGAN_US + 100_000 * number))
    camera.see(report(27_000, 400_000))
    assert camera.zero_us == BEGAN_US
    for number in (4, 5):
        camera.see(report(9_000 * number, 100_000 * number))
    assert camera.zero_us == 0
    camera.see(report(None, 7))
    assert camera.zero_us == 0
