"""A loss costs what refers to it: each frame that is given out is one that was sent, the others are
counted. What looks like a loss and is none costs nothing."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from pipeline.configuration.config import Config
from pipeline.configuration.streams import stream_specs
from pipeline.engine.identity import Identity
from pipeline.stream.spec import StreamSpec

SECOND, PACKET = 90_000, 188
FRAMES, GOP = 40, 10


def footage(path: Path, codec: str, options: dict[str, str]) -> Path:
    """Noise that moves, so that what refers to a wrong picture is wrong itself."""
    rng = np.random.default_rng(5)
    noise = rng.integers(0, 255, (64 + FRAMES, 96 + FRAMES, 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.gop_size = GOP
        stream.codec_context.options = options
        for k in range(FRAMES):
            pixels = np.ascontiguousarray(noise[k : k + 64, k : k + 96])
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = k, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


X264 = {"preset": "veryfast", "crf": "35"}
KINDS = {
    "h264": ("libx264", X264 | {"bf": "0"}),
    "h264 with B pictures": ("libx264", X264 | {"bf": "3"}),
    "h264, open": ("libx264", X264 | {"bf": "3", "x264-params": "open-gop=1"}),
    "h264, intra refresh": ("libx264", X264 | {"bf": "0", "x264-params": "intra-refresh=1"}),
    "hevc": ("libx265", {"preset": "ultrafast", "x265-params": "log-level=none:bframes=2"}),
    "mpeg2": ("mpeg2video", {"bf": "2", "b": "300000"}),
}


@pytest.fixture(params=KINDS)
def stream(request, tmp_path: Path) -> Path:
    """An MPEG transport stream of 40 pictures, a key frame every 10."""
    codec, options = KINDS[request.param]
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV cannot encode with {codec}")
    return footage(tmp_path / "whole.ts", codec, options)


def video_packets(data: bytes) -> list[int]:
    """Places of the transport packets that carry video, behind those of the first two pictures: no
    container notices what is missing in the very first."""
    found, pictures = [], 0
    for place in range(0, len(data), PACKET):
        pid = (data[place + 1] & 31) << 8 | data[place + 2]
        if pid == 0x100:
            pictures += data[place + 1] >> 6 & 1
            found += [place] if pictures > 3 else []
    return found


@pytest.mark.slow
def test_wherever_a_transport_packet_is_lost(play, stream: Path, tmp_path: Path) -> None:
    data = stream.read_bytes()
    whole = play(stream, short_side=56)
    assert whole.end.decoded == FRAMES
    sent = {key[0]: key for key in whole.keys}
    places = video_packets(data)
    cut = tmp_path / "cut.ts"
    for place in places[:: max(1, len(places) // 12)]:
        cut.write_bytes(data[:place] + data[place + PACKET :])
        played = play(cut, short_side=56)
        assert [sent[key[0]] for key in played.keys] == played.keys, place
        assert FRAMES - 2 <= played.end.decoded + played.end.lost <= FRAMES
        assert played.end.decoded >= FRAMES - 2 * GOP
        assert (played.end.outcome == "ok") == (played.end.lost == 0)


@pytest.mark.slow
def test_wherever_a_picture_is_lost_without_a_trace_in_the_container(play, tmp_path: Path) -> None:
    """H.264's own numbers tell. What nothing refers to is lost alone."""
    whole_path = footage(tmp_path / "whole.mkv", *KINDS["h264 with B pictures"])
    whole = play(whole_path, short_side=56)
    sent = {key[0]: key for key in whole.keys}
    for lost in range(1, FRAMES, 3):
        cut = without_picture(whole_path, tmp_path / "cut.mkv", lost)
        played = play(cut, short_side=56)
        assert [sent[key[0]] for key in played.keys] == played.keys, lost
        assert len(played.keys) >= FRAMES - GOP - 3


def without_picture(source: Path, target: Path, index: int) -> Path:
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for number, packet in enumerate(old.demux(video=0)):
            if packet.size and number != index:
                packet.stream = stream
                new.mux(packet)
    return target


def test_a_lost_picture_costs_what_refers_to_it(play, shared_media: Path) -> None:
    """One P picture of 50 is gone; no key frame comes after it."""
    whole = play(shared_media / "reports" / "loss_none.ts")
    played = play(shared_media / "reports" / "loss_picture.ts")
    assert played.keys == whole.keys[:10]
    assert (played.end.outcome, played.end.decoded, played.end.lost) == ("degraded", 10, 40)
    assert sum(fault.lost for fault in played.faults) == 40
    assert "a picture is missing" in {fault.detail for fault in played.faults}
    resumed = play(shared_media / "reports" / "loss_picture.ts", cursor=played.cursor(5))
    assert (resumed.keys, resumed.end) == (played.keys[6:], played.end)


def test_damaged_frames_are_given_out_where_they_are_wanted(play, shared_media: Path) -> None:
    played = play(shared_media / "reports" / "loss_picture.ts", damaged=True)
    assert (played.end.outcome, played.end.decoded, played.end.lost) == ("degraded", 49, 1)


def test_whoever_keeps_damaged_frames_or_both_fields_does_another_job() -> None:
    identity = Identity("model", {}, {})
    kinds: list[dict[str, Any]] = [
        {},
        {"damaged": True},
        {"deinterlace": False},
        {"decode": "cuda"},
    ]
    jobs = [identity.jobs([StreamSpec("s", "x", session="1", **kind)])["s"] for kind in kinds]
    assert len(set(jobs)) == 4
    assert Config(sources=["x"]).deinterlace
    (kept,) = stream_specs(Config(sources=["synthetic:room"], deinterlace=False), live=False)
    assert not kept.deinterlace


@pytest.mark.parametrize(
    ("name", "frames"), [("trim_tail.mp4", 50), ("trim_head.mp4", 27), ("avi_drops.avi", 7)]
)
def test_what_an_edit_list_cuts_and_null_frames_are_no_loss(
    play, shared_media: Path, name: str, frames: int
) -> None:
    played = play(shared_media / "reports" / name)
    assert (played.end.outcome, played.end.lost, played.end.decoded) == ("ok", 0, frames)
    assert played.faults == []


def test_null_frames_leave_the_others_their_times(play, shared_media: Path) -> None:
    played = play(shared_media / "reports" / "avi_drops.avi")
    assert [s.info.position for s in played.samples] == ["0", "1", "2", "5", "6", "8", "9"]


def test_an_avi_that_is_cut_off_is_degraded(play, tmp_path: Path) -> None:
    whole = footage(tmp_path / "whole.avi", "mjpeg", {"strict": "unofficial"})
    data = whole.read_bytes()
    cut = tmp_path / "cut.avi"
    cut.write_bytes(data[: len(data) // 2])
    played = play(cut)
    assert played.end.outcome == "degraded"
    assert 0 < played.end.decoded < FRAMES
    assert FRAMES <= played.end.decoded + played.end.lost <= FRAMES + 1


@pytest.mark.slow
def test_the_second_of_two_files_in_one_is_said(play, shared_media: Path, tmp_path: Path) -> None:
    """`cat a.mp4 b.mp4`: libav plays the first, and not a word."""
    base = shared_media / "reports" / "base.mp4"
    tail = shared_media / "reports" / "trim_tail.mp4"
    alone, other = play(base), tail.read_bytes()
    with av.open(str(tail)) as container:
        frames = container.streams.video[0].frames
    (tmp_path / "two.mp4").write_bytes(base.read_bytes() + other)
    two = play(tmp_path / "two.mp4")
    assert two.keys == alone.keys
    assert (two.end.outcome, two.end.lost) == ("degraded", frames)
    (fault,) = two.faults
    assert fault.detail.startswith("another film lies behind the first, which alone is played")
    assert play(tmp_path / "two.mp4", cursor=two.cursor(5)).end == two.end
    (tmp_path / "four.mp4").write_bytes(base.read_bytes() + 3 * other)
    assert play(tmp_path / "four.mp4").end.lost == 3 * frames


@pytest.mark.slow
def test_fragments_with_a_header_each_are_one_film(
    play, shared_media: Path, tmp_path: Path
) -> None:
    data = (shared_media / "videos" / "sample_fragmented.mp4").read_bytes()
    (tmp_path / "two.mp4").write_bytes(2 * data)
    assert play(tmp_path / "two.mp4").faults == []


def test_a_still_picture_in_tiles_is_no_video(play, shared_media: Path) -> None:
    played = play(shared_media / "reports" / "grid.avif")
    assert (played.end.outcome, played.samples) == ("rejected", [])
    assert played.end.detail.startswith("holds no video, only a photograph in 4 tiles")


def test_the_thumbnail_of_a_photograph_in_tiles_is_no_video(
    play, shared_media: Path, tmp_path: Path
) -> None:
    """The same picture made of two tiles; the two that are left over stand for a thumbnail."""
    data = bytearray((shared_media / "reports" / "grid.avif").read_bytes())
    grid, links = data.find(struct.pack(">BBBBHH", 0, 0, 1, 1, 512, 512)), data.find(b"dimg")
    data[grid : grid + 8] = struct.pack(">BBBBHH", 0, 0, 1, 0, 256, 512)
    struct.pack_into(">H", data, links + 6, 2)
    (tmp_path / "thumbnail.avif").write_bytes(data)
    played = play(tmp_path / "thumbnail.avif")
    assert (played.end.outcome, played.samples) == ("rejected", [])
    assert "photograph in 2 tiles" in played.end.detail
