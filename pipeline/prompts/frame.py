"""One picture that a user names, as large as it is: a file, or a moment of a recording.

A recording is decoded from its beginning, by the decoder that jobs use.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from math import isfinite
from os.path import isfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.errors import UsageError
from operators.frames import FrameInfo
from operators.weights.digest import sha256_file
from pipeline.errors import SourceError
from pipeline.features.clip import Clip, is_scene
from pipeline.features.footage import Footage
from pipeline.features.recorded import clip_spec
from pipeline.follow.shown import whole
from pipeline.media.frame_size import FrameSize
from pipeline.media.still import read_upright
from pipeline.stream.chunk import End, Frames
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec

Pixels = NDArray[np.uint8]

_GLANCE = FrameSize(16, patch=1)  # enough to see which frames there are, and how large
_LOOK_ON_S = 1.0


@dataclass(frozen=True, slots=True)
class Frame:
    """
    Attributes:
        pixels: uint8 RGB `[H, W, 3]`, as displayed.
        told: where it comes from, as JSON values.
    """

    pixels: Pixels
    told: dict[str, Any]


def read_frame(name: str) -> Frame:
    """
    Args:
        name: of a picture's file, or `CLIP@SECONDS`: the frame that is nearest to that time since
            the recording's first one.

    Raises:
        UsageError: no such file, no time, or one behind the last frame.
        SourceError: it cannot be decoded.
    """
    if isfile(name):  # pathlib's fails on a name that is too long
        return _picture(Path(name))
    clip, _, seconds = name.rpartition("@")
    if not clip or not (is_scene(clip) or isfile(clip)):
        raise UsageError(f"{clip or name}: no such file; FRAME is a picture's, or CLIP@SECONDS")
    at_s = -1.0
    with suppress(ValueError):
        at_s = float(seconds)
    if not isfinite(at_s) or at_s < 0:
        raise UsageError(
            f"{name}: {seconds!r} is no time; want seconds since the first frame, CLIP@3.2"
        )
    return _moment(Clip(Path(clip), 1.0, end_s=at_s + _LOOK_ON_S, patches=False), at_s)


def frames_of(spec: StreamSpec) -> Generator[tuple[FrameInfo, Pixels], None, End | None]:
    """Every sampled frame of a recording, in order; returns what is said at its end."""
    with closing(Footage()) as footage:
        for entry in footage.entries(spec):
            if isinstance(entry, Frames):
                yield from zip(entry.infos, entry.pixels, strict=True)
            elif isinstance(entry, End):
                return entry
    return None


def _picture(path: Path) -> Frame:
    try:
        pixels = read_upright(path)
    except SourceError as error:
        raise UsageError(f"{error}; of a recording give the moment, too: {path}@SECONDS") from error
    return Frame(pixels, {"file": str(path), "sha256": sha256_file(path)})


def _moment(clip: Clip, at_s: float) -> Frame:
    found, first_us = _nearest(clip, at_s)
    for info, pixels in frames_of(_every_frame(clip, whole(found.source_hw))):
        if info.position == found.position:
            told = {
                "file": str(clip.path),
                "session": info.session,
                "position": info.position,
                "time_s": (info.event_time_us - first_us) / 1e6,
            }
            return Frame(pixels, told)
    raise SourceError(f"{clip.path}: frame {found.position} is not there when it is read again")


def _nearest(clip: Clip, at_s: float) -> tuple[FrameInfo, int]:
    """The frame, and the event time of the first one, microseconds."""
    before: FrameInfo | None = None
    first_us, step_s = 0, 0.0
    frames = frames_of(_every_frame(clip, _GLANCE))
    with closing(frames):
        for info, _ in frames:
            if before is None:
                first_us = info.event_time_us
            time_s = (info.event_time_us - first_us) / 1e6
            if time_s >= at_s:
                before_s = time_s if before is None else (before.event_time_us - first_us) / 1e6
                closer = before is not None and at_s - before_s < time_s - at_s
                return (before if before and closer else info), first_us
            if before is not None:
                step_s = (info.event_time_us - before.event_time_us) / 1e6
            before = info
    if before is None:
        raise SourceError(f"{clip.path}: nothing in it can be decoded")
    last_s = (before.event_time_us - first_us) / 1e6
    if at_s - last_s > step_s:
        raise UsageError(f"{clip.path}: no frame at {at_s:g} s; its last one is at {last_s:.2f} s")
    return before, first_us


def _every_frame(clip: Clip, size: FrameSize) -> StreamSpec:
    return replace(clip_spec(clip, size), samplings=(Sampling("all"),))
