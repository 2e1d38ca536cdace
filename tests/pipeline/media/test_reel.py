"""A live source whose picture freezes is told as that."""

from __future__ import annotations

import contextlib
import itertools
from fractions import Fraction
from pathlib import Path

import av
import pytest

from pipeline.media.picture import Loss, Picture
from pipeline.media.reel import VideoReel
from pipeline.media.transfer import Transfer


def frozen(path: Path, form: str) -> bytes:
    """One second of pictures; the sound goes on for a minute."""
    with av.open(str(path), "w", format=form) as out:
        video = out.add_stream("mpeg2video", rate=10, width=64, height=48, pix_fmt="yuv420p")
        audio = out.add_stream("mp2", rate=16000, layout="mono")
        for number in range(10):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([20 * number]) * plane.buffer_size)
            frame.pts, frame.time_base = number, Fraction(1, 10)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        for number in range(60):
            sound = av.AudioFrame(format="s16", layout="mono", samples=16000)
            for plane in sound.planes:
                plane.update(bytes(plane.buffer_size))
            sound.sample_rate, sound.pts = 16000, 16000 * number
            out.mux(audio.encode(sound))
        out.mux(audio.encode(None))
    return path.read_bytes()


@pytest.mark.parametrize("form", ["mpegts", "matroska"])
def test_sound_alone_is_no_sign_of_a_picture(answering, tmp_path: Path, form: str) -> None:
    data = frozen(tmp_path / "film", form)
    with answering(b"HTTP/1.0 200 OK\r\n\r\n", data) as url:
        way = Transfer(live=True, clock=itertools.count(0.0, 0.5).__next__)
        reel = VideoReel.open(url, keyframes=False, max_pixels=1 << 24, timeout_s=50, transfer=way)
        with contextlib.closing(reel):
            steps = list(reel.pictures())
    shown = sum(isinstance(step, Picture) for step in steps)
    assert shown >= 8  # one may wait in libav's parser, one in its demuxer
    assert steps[-1] == Loss(0, "no frame for 50 s")
    assert sum(step is None for step in steps) > 100  # signs of life until then
