"""Clips made on the spot for what no real clip does: wraps, pasted files, jumps, sizes that
change, frames without any pts."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.stream.chunk import Gap

SECOND = 90_000


def transport_stream(
    path: Path,
    pts: list[int],
    size_hw: tuple[int, int] = (64, 96),
    codec: str = "libx264",
    pid: int = 0x100,
) -> Path:
    """An MPEG-TS whose frames have these pts, 90 kHz, as they come out of the decoder."""
    height, width = size_hw
    with av.open(str(path), "w", options={"mpegts_start_pid": str(pid)}) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.options = {"preset": "ultrafast", "bf": "0"}
        stream.codec_context.gop_size = 10
        stream.codec_context.time_base = Fraction(1, SECOND)
        for index, value in enumerate(pts):
            pixels = np.full((height, width, 3), index * 5 % 256, np.uint8)
            pixels[: height // 2] = index * 11 % 256
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = value, Fraction(1, SECOND)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def pasted(path: Path, *parts: Path) -> Path:
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def check(play, path: Path, frames: int, seconds: float) -> None:
    """All frames, once, in order, over so much time; and resumes in the middle of it all."""
    whole = play(path)
    times = [sample.info.event_time_us for sample in whole.samples]
    assert len({sample.info.position for sample in whole.samples}) == len(times) == frames
    assert times == sorted(times)
    assert times[-1] / 1e6 == pytest.approx(seconds, abs=0.05)
    known = {key[0]: key for key in whole.keys}
    for rule in ("fps:5", "keyframes"):
        some = play(path, rule)
        assert some.keys == [known[sample.info.position] for sample in some.samples]
    for index in range(0, frames, 7):
        rest = play(path, cursor=whole.cursor(index))
        assert rest.keys == whole.keys[index + 1 :]
        assert rest.end == whole.end


@pytest.mark.slow
def test_a_33_bit_wrap(play, tmp_path: Path) -> None:
    start = 2**33 - 20 * 3600
    path = transport_stream(tmp_path / "wrap.ts", [start + k * 3600 for k in range(40)])
    check(play, path, 40, 39 / 25)


@pytest.mark.slow
def test_a_late_33_bit_wrap(play, tmp_path: Path) -> None:
    """FFmpeg corrects a wrap in a file's first minute by itself; this one comes after two."""
    start = 2**33 - 120 * SECOND
    path = transport_stream(tmp_path / "late.ts", [start + k * 5 * SECOND for k in range(40)])
    check(play, path, 40, 39 * 5)


@pytest.mark.slow
def test_files_pasted_together(play, tmp_path: Path) -> None:
    """The second and third begin at 1.4 s again."""
    part = transport_stream(tmp_path / "part.ts", [k * 3600 for k in range(60)])
    check(play, pasted(tmp_path / "pasted.ts", part, part, part), 180, 179 / 25)


@pytest.mark.slow
@pytest.mark.parametrize("begins_s", [2, 1000])
def test_a_video_that_goes_on_under_another_pid(play, tmp_path: Path, begins_s: int) -> None:
    """With the same clock, and with another."""
    pts = [k * 3600 for k in range(50)]
    first = transport_stream(tmp_path / "first.ts", pts)
    second = transport_stream(
        tmp_path / "second.ts", [begins_s * SECOND + p for p in pts], pid=0x130
    )
    check(play, pasted(tmp_path / "pids.ts", first, second), 100, 99 / 25)


@pytest.mark.slow
def test_a_size_that_changes_is_a_gap(play, tmp_path: Path) -> None:
    small = transport_stream(tmp_path / "small.ts", [k * 3600 for k in range(20)])
    large = transport_stream(
        tmp_path / "large.ts", [(20 + k) * 3600 for k in range(20)], size_hw=(192, 192)
    )
    path = pasted(tmp_path / "sizes.ts", small, large)
    whole = play(path)
    assert whole.gaps == [Gap("clip", "size")]
    assert [s.info.source_hw for s in whole.samples] == [(64, 96)] * 20 + [(192, 192)] * 20
    assert {s.pixels.shape for s in whole.samples} == {(224, 336, 3), (224, 224, 3)}
    check(play, path, 40, 39 / 25)
    assert play(path, cursor=whole.cursor(19)).gaps == [Gap("clip", "size")]
    assert play(path, cursor=whole.cursor(20)).gaps == []


@pytest.mark.slow
def test_variable_frame_rate(play, tmp_path: Path) -> None:
    steps = [3600, 7200, 1800, 18_000, 900, 45_000] * 6
    pts = [sum(steps[:k]) for k in range(len(steps))]
    path = transport_stream(tmp_path / "vfr.ts", pts)
    check(play, path, len(pts), pts[-1] / SECOND)
    taken = play(path, "fps:2")
    half_seconds = [s.info.event_time_us * 2 // 1_000_000 for s in taken.samples]
    assert half_seconds == sorted(set(half_seconds))


@pytest.mark.slow
def test_frames_without_any_pts(play, tmp_path: Path) -> None:
    """A raw H.264 file has no timestamps; time goes on by its frames' duration."""
    path = tmp_path / "raw.h264"
    transport_stream(path, [k * 3600 for k in range(40)])
    whole = play(path)
    assert [s.info.position for s in whole.samples] == [f"+{k}" for k in range(1, 41)]
    check(play, path, 40, 39 / 25)
    assert len(play(path, "fps:5").samples) == 8


def test_a_cut_off_file_is_degraded_and_counts_what_is_missing(play, tmp_path: Path) -> None:
    whole = transport_stream(tmp_path / "whole.mp4", [k * 3600 for k in range(100)])
    fast = tmp_path / "fast.mp4"
    with (
        av.open(str(whole)) as source,
        av.open(str(fast), "w", options={"movflags": "+faststart"}) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    data = fast.read_bytes()
    fast.write_bytes(data[: len(data) * 2 // 3])
    played = play(fast)
    assert played.end.outcome == "degraded"
    assert 0 < played.end.decoded < 100
    assert played.end.lost >= 100 - played.end.decoded - 1
    middle = play(fast, cursor=played.cursor(10))
    assert middle.end == played.end


def test_damage_is_counted_and_the_damaged_frames_are_not_given_out(play, tmp_path: Path) -> None:
    clean = transport_stream(tmp_path / "clean.ts", [k * 3600 for k in range(60)])
    broken = tmp_path / "broken.ts"
    shutil.copy(clean, broken)
    data = bytearray(broken.read_bytes())
    for place in range(len(data) // 3, len(data) // 2, 997):
        data[place] ^= 0x41
    broken.write_bytes(data)
    played = play(broken)
    assert played.end.outcome == "degraded"
    assert played.end.lost > 0
    assert played.end.decoded + played.end.lost >= 55
    assert sum(fault.lost for fault in played.faults) == played.end.lost
