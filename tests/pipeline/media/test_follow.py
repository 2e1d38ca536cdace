"""Transport streams whose video goes on under another PID."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from pipeline.media.picture import Loss, Picture, Splice

FRAMES = 20  # of a part, which is two seconds long


def part(
    path: Path,
    pid: int,
    *,
    begins_s: float = 0,
    codec: str = "libx264",
    sound: bool = False,
    seconds: int = 2,
) -> bytes:
    """Two seconds of B-frames; its sound, where it has any, comes first in the program."""
    with av.open(str(path), "w", format="mpegts", options={"mpegts_start_pid": str(pid)}) as out:
        audio = out.add_stream("aac", rate=8000, layout="mono") if sound else None
        video = out.add_stream(codec, rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        if codec == "libx264":
            video.codec_context.options = {"g": "10", "bf": "2"}
        for number in range(10 * seconds):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([20 + 9 * number % 200]) * plane.buffer_size)
            # Before 0 the muxer would move what is reordered.
            frame.pts, frame.time_base = number + int(10 * (begins_s + 5)), Fraction(1, 10)
            out.mux(video.encode(frame))
        if audio is not None:
            silence = av.AudioFrame(format="fltp", layout="mono", samples=1024)
            for plane in silence.planes:
                plane.update(bytes(plane.buffer_size))
            silence.sample_rate, silence.pts = 8000, int(8000 * (begins_s + 5))
            out.mux(audio.encode(silence))
            out.mux(audio.encode(None))
        out.mux(video.encode(None))
    return path.read_bytes()


def seconds(items: list[object]) -> list[float]:
    pts = [item.pts for item in items if isinstance(item, Picture)]
    return [round((p - pts[0]) / 90000, 3) for p in pts]


def every(count: int, begin: float = 0.0) -> list[float]:
    return [round(begin + index / 10, 3) for index in range(count)]


@pytest.mark.parametrize(
    ("codec", "sound"), [("libx264", False), ("libx265", False), ("libx264", True)]
)
def test_a_new_pid_goes_on_where_the_old_one_ends(clips, tmp_path, codec: str, sound: bool) -> None:
    """Whatever its codec, and wherever it stands in the program. The last frame of the old one
    comes out of libav behind all others."""
    path = tmp_path / "both.ts"
    one = part(tmp_path / "1.ts", 0x100)
    path.write_bytes(one + part(tmp_path / "2.ts", 0x130, begins_s=2, codec=codec, sound=sound))
    assert seconds(list(clips.items(path))) == every(2 * FRAMES)


@pytest.mark.parametrize("begins_s", [0, 1000])
def test_another_clock_is_spliced(clips, tmp_path: Path, begins_s: int) -> None:
    path = tmp_path / "both.ts"
    one = part(tmp_path / "1.ts", 0x100)
    path.write_bytes(one + part(tmp_path / "2.ts", 0x130, begins_s=begins_s))
    items = list(clips.items(path))
    assert items.index(Splice()) == FRAMES
    assert seconds(items) == every(FRAMES) + every(FRAMES, begins_s)


def test_three_in_a_row(clips, tmp_path: Path) -> None:
    path = tmp_path / "all.ts"
    pids = (0x100, 0x130, 0x160)
    path.write_bytes(
        b"".join(part(tmp_path / "x.ts", pid, begins_s=2 * i) for i, pid in enumerate(pids))
    )
    assert seconds(list(clips.items(path))) == every(3 * FRAMES)


def test_a_long_one_costs_the_last_frames_before_it_and_says_so(clips, tmp_path: Path) -> None:
    """They come at the very end, and nobody waits so long."""
    path = tmp_path / "both.ts"
    one = part(tmp_path / "1.ts", 0x100)
    path.write_bytes(one + part(tmp_path / "2.ts", 0x130, begins_s=2, seconds=8))
    items = list(clips.items(path))
    assert seconds(items)[FRAMES - 2 :] == every(80, 2.0)
    losses = [item for item in items if isinstance(item, Loss)]
    assert sum(loss.frames for loss in losses) == 2
    assert "another PID" in losses[-1].detail


def test_videos_side_by_side_are_not_mixed(clips, tmp_path: Path) -> None:
    path = tmp_path / "two.ts"
    with av.open(str(path), "w") as out:
        streams = [out.add_stream("libx264", rate=10) for _ in range(2)]
        for stream, side in zip(streams, (64, 32), strict=True):
            stream.width, stream.height, stream.pix_fmt = side, side, "yuv420p"
        for number in range(FRAMES):
            for stream in streams:
                frame = av.VideoFrame(stream.width, stream.height, "yuv420p")
                for plane in frame.planes:
                    plane.update(bytes([9 * number]) * plane.buffer_size)
                frame.pts, frame.time_base = number, Fraction(1, 10)
                out.mux(stream.encode(frame))
        for stream in streams:
            out.mux(stream.encode(None))
    pictures = list(clips.items(path))
    assert [picture.source_hw for picture in pictures] == [(64, 64)] * FRAMES


def test_the_report(clips, shared_media: Path) -> None:
    items = list(clips.items(shared_media / "reports" / "pidchange.ts"))
    assert seconds(items) == [round(index / 25, 3) for index in range(100)]
