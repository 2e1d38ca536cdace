"""Frames of a film into files: MP4, GIF and one still, each whole or not there at all.

Frames in -> files out, in one pass. What is begun lies under another name until it is complete.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from PIL import Image

from operators.errors import UsageError
from pipeline.errors import SinkError
from pipeline.render.panel import Pixels

GIF_WIDTH = 800
GIF_FRAMES = 300  # all of a GIF is in memory before it is written: 120 MB
SUFFIXES = (".mp4", ".gif", ".png")


@dataclass(frozen=True, slots=True)
class FilmFrame:
    """One drawn frame: seconds since the recording's first frame, RGB uint8 `[H, W, 3]`."""

    elapsed_s: float
    pixels: Pixels


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where what goes; None where it is not wanted."""

    mp4: Path | None = None
    gif: Path | None = None
    png: Path | None = None

    @property
    def paths(self) -> list[Path]:
        """All files that are to be written."""
        return [path for path in (self.mp4, self.gif, self.png) if path]


def outputs_of(path: Path, *, gif: bool, png: bool) -> Outputs:
    """The files that a command asks for; each must be writable.

    Args:
        path: its suffix says what it is.
        gif, png: one more file beside it, of the same name.

    Raises:
        UsageError: another suffix, no such folder, or it cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: can write {', '.join(SUFFIXES)}, not {path.suffix or 'that'}")
    wanted = {path.suffix.lower(): path}
    for suffix, also in ((".gif", gif), (".png", png)):
        if also:
            wanted.setdefault(suffix, path.with_suffix(suffix))
    for one in wanted.values():
        _require_writable(one)
    return Outputs(wanted.get(".mp4"), wanted.get(".gif"), wanted.get(".png"))


def write_film(outputs: Outputs, frames: Iterator[FilmFrame], *, fps: float, still_s: float) -> int:
    """Write the files.

    Args:
        outputs: which.
        frames: of the film; not asked for more than the files need.
        fps: frames per second.
        still_s: which frame the PNG is: the first at or after so many seconds, else the last.

    Returns:
        How many frames were drawn.

    Raises:
        SinkError: a file cannot be written.
    """
    takers: list[_Taker] = []
    if outputs.gif:
        takers.append(_Gif(outputs.gif, fps))
    if outputs.png:
        takers.append(_Still(outputs.png, still_s))
    count = 0

    def counted() -> Iterator[Pixels]:
        nonlocal count
        for frame in frames:
            count += 1
            for taker in takers:
                taker.take(frame)
            yield frame.pixels
            if not outputs.mp4 and all(taker.full for taker in takers):
                return

    if outputs.mp4:
        from pipeline.media.encode import write_clip

        with _told(outputs.mp4):
            write_clip(outputs.mp4, counted(), Fraction(str(fps)))
    else:
        for _ in counted():
            pass
    for taker in takers:
        taker.save()
    return count


class _Taker(Protocol):
    """Takes what it needs of the frames, and writes it at the end."""

    full: bool

    def take(self, frame: FilmFrame) -> None: ...

    def save(self) -> None: ...


class _Gif:
    def __init__(self, path: Path, fps: float) -> None:
        self._path = path
        self._frame_ms = 1000 / fps
        self._frames: list[Image.Image] = []
        self.full = False

    def take(self, frame: FilmFrame) -> None:
        if self.full:
            return
        image = Image.fromarray(frame.pixels)
        height = round(image.height * GIF_WIDTH / image.width)
        small = image.resize((GIF_WIDTH, height), Image.Resampling.LANCZOS)
        self._frames.append(small.quantize(256, dither=Image.Dither.NONE))
        self.full = len(self._frames) == GIF_FRAMES

    def save(self) -> None:
        first, *others = self._frames
        with _draft(self._path) as draft:
            first.save(
                draft, "GIF", save_all=True, append_images=others, duration=self._frame_ms, loop=0
            )


class _Still:
    def __init__(self, path: Path, still_s: float) -> None:
        self._path = path
        self._still_s = still_s
        self._kept: FilmFrame | None = None
        self.full = False

    def take(self, frame: FilmFrame) -> None:
        if not self.full:
            self._kept = frame
            self.full = frame.elapsed_s >= self._still_s

    def save(self) -> None:
        assert self._kept
        with _draft(self._path) as draft:
            Image.fromarray(self._kept.pixels).save(draft, "PNG")


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """A name to write under, which becomes the file's own when all is written."""
    draft = path.with_name(f"{path.name}.part")
    try:
        with _told(path):
            yield draft
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror or error}") from error


def _require_writable(path: Path) -> None:
    """Found out before the first frame is drawn, by a file that never has a name."""
    try:
        if path.is_dir():
            raise UsageError(f"{path} is a folder; -o names a file")
        with tempfile.TemporaryFile(dir=path.parent):
            return
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None
