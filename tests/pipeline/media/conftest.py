"""Encodes small clips of any kind on the spot."""

from __future__ import annotations

import contextlib
import socketserver
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.media.picture import Loss, Picture
from pipeline.media.reel import VideoReel
from tests.serving import serving

Frame = av.VideoFrame


def yuv_frame(
    size_hw: tuple[int, int], colour: tuple[int, int, int], pix_fmt: str = "yuv420p"
) -> Frame:
    """One colour; values of 8 bit, shifted for deeper formats."""
    height, width = size_hw
    frame = Frame(width, height, pix_fmt)
    deep = frame.format.components[0].bits > 8
    shift = frame.format.components[0].bits - 8
    for plane, value in zip(frame.planes, colour, strict=True):
        if deep:
            line = np.full(plane.line_size // 2, value << shift, "<u2").tobytes()
        else:
            line = bytes([value]) * plane.line_size
        plane.update(line * plane.height)
    return frame


def write(
    path: Path,
    frames: list[Frame],
    *,
    codec: str = "libx264",
    colorspace: int | None = None,
    color_range: int | None = None,
    rotation: tuple[float, bool, bool] | None = None,
    options: dict[str, str] | None = None,
    pts: list[int] | None = None,
    rate: int = 25,
) -> Path:
    """Encode frames, all in the first one's format; a size that changes begins a new stream."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = frames[0].width, frames[0].height
        stream.pix_fmt = frames[0].format.name
        stream.codec_context.options = options or {"qp": "0", "preset": "ultrafast"}
        if colorspace is not None:
            stream.codec_context.colorspace = colorspace
        if color_range is not None:
            stream.codec_context.color_range = color_range
        if rotation is not None:
            degrees, hflip, vflip = rotation
            stream.set_display_rotation(degrees, hflip, vflip)
        for index, frame in enumerate(frames):
            frame.pts = pts[index] if pts else index
            frame.time_base = Fraction(1, rate)
            if colorspace is not None:
                frame.colorspace = colorspace
            if color_range is not None:
                frame.color_range = color_range
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def pictures(path: Path | str, **more: Any) -> list[Picture]:
    """Decode a file in this process."""
    return [item for item in items(path, **more) if isinstance(item, Picture)]


def items(path: Path | str, **more: Any) -> Iterator[Picture | Loss]:
    facts: dict[str, Any] = {"keyframes": False, "max_pixels": 1 << 24, "timeout_s": 5.0}
    reel = VideoReel.open(str(path), **(facts | more))
    try:
        yield from (item for item in reel.pictures() if item is not None)
    finally:
        reel.close()


class Clips:
    """What tests make clips with."""

    colour = staticmethod(yuv_frame)
    write = staticmethod(write)
    pictures = staticmethod(pictures)
    items = staticmethod(items)

    @staticmethod
    def rgb(pixels: NDArray[np.uint8], pix_fmt: str = "yuv444p") -> Frame:
        """A frame from RGB, BT.601."""
        return Frame.from_ndarray(pixels, format="rgb24").reformat(format=pix_fmt)


@pytest.fixture(scope="session")
def clips() -> type[Clips]:
    return Clips


@contextlib.contextmanager
def answered(*pieces: bytes) -> Iterator[str]:
    """A port that says the same to everybody, in pieces that do not come together."""

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline() not in (b"\r\n", b""):
                pass
            with contextlib.suppress(OSError):
                for piece in pieces:
                    self.wfile.write(piece)
                    self.wfile.flush()

    with serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk)) as server:
        yield f"http://127.0.0.1:{server.server_address[1]}/live"


@pytest.fixture(scope="session")
def answering() -> Callable[..., contextlib.AbstractContextManager[str]]:
    """`answering(b"HTTP/1.0 200 OK...", b"...")`: the address of a server that says this."""
    return answered
