"""Zones and lines of a configuration over the stream they are of: one still, or a film.

A stream's specification in -> files out. Records are read where there are some, and not needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from operators.errors import UsageError
from operators.frames import FrameInfo
from operators.places.places import Places
from pipeline.decode.once import decoded
from pipeline.drawing.canvas import Canvas
from pipeline.drawing.outline import Outline, draw_grid, draw_outline
from pipeline.drawing.palette import CLASS_COLOURS
from pipeline.errors import SourceError
from pipeline.records.filter import Filter
from pipeline.records.record import Message
from pipeline.render.film import FilmFrame, Outputs, write_film
from pipeline.render.panel import Pixels
from pipeline.render.pixels import require_reached, shown_frames
from pipeline.render.rendering import Tell, film_of
from pipeline.render.sheet import Heading, Sheet
from pipeline.render.survey import messages, place_of
from pipeline.render.track import Held, Place, Track, held_maps
from pipeline.render.zones_panel import Alarm, ZonesPanel, alarms, outlines
from pipeline.sinks.sink import Reader
from pipeline.stream.chunk import End, Fault, Frames
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec

MARGIN = 64  # around a still, for the grid's numbers
SHORT_SIDE = 720  # of a still, pixels


@dataclass(frozen=True, slots=True)
class Told:
    """What records say of a stream's zones.

    Attributes:
        first: of the first of them, to set the clock by.
        zones: in order.
        alarms: alerts, from when to when.
    """

    first: Place
    zones: list[Message]
    alarms: list[Alarm]


def told(reader: Reader, spec: StreamSpec) -> Told | None:
    """Of a recording: the newest variant; None where there is none."""
    where = Filter((spec.stream,), spec.session)
    zones, alerts = (_newest(reader, topic, where) for topic in ("zones", "zones.alerts"))
    return Told(place_of(zones[0]), zones, alarms(alerts)) if zones else None


def write_still(spec: StreamSpec, places: Places, path: Path, *, at_s: float) -> FrameInfo:
    """A PNG of one frame with a grid, and the zones and lines over it; the frame.

    Args:
        spec: the stream, a camera or a recording.
        places: what is drawn.
        path: of the file.
        at_s: which frame: the first that is so many seconds behind the stream's first.

    Raises:
        UsageError: a zone is outside the picture.
        SourceError: there is no such frame.
    """
    info, pixels = _frame(replace(spec, samplings=(Sampling("all"),), short_side=SHORT_SIDE), at_s)
    drawn = _outlines(places, info.source_hw)
    height, width = info.source_hw
    scale = SHORT_SIDE / min(height, width)
    inner_wh = (round(width * scale), round(height * scale))
    canvas = Canvas(inner_wh[0] + 2 * MARGIN, inner_wh[1] + 2 * MARGIN)
    box = (MARGIN, MARGIN, MARGIN + inner_wh[0], MARGIN + inner_wh[1])
    canvas.paste(Image.fromarray(pixels), box)
    draw_grid(canvas, box, info.source_hw)
    for number, one in enumerate(drawn):
        draw_outline(canvas, box, one, CLASS_COLOURS[number % len(CLASS_COLOURS)])
    title = f"{spec.stream}, {width} x {height} pixels"
    canvas.text((MARGIN, 28), title, 20, bold=True)
    picture = canvas.finish(inner_wh[1] + 2 * MARGIN)
    write_film(Outputs(png=path), iter([FilmFrame(0.0, np.asarray(picture))]), fps=1.0, still_s=0.0)
    return info


def write_checked(
    spec: StreamSpec,
    places: Places,
    outputs: Outputs,
    *,
    fps: float,
    at_s: float,
    said: Told | None,
    tell: Tell,
) -> int:
    """A film of a recording with the zones and lines over it; how many frames it has.

    Args:
        spec: the recording.
        places: what is drawn.
        outputs: the files.
        fps: frames per second of the film.
        at_s: which frame a PNG is: the first that is so many seconds behind the recording's first.
        said: what records say of the zones; None: nothing is known of what is in them.
        tell: hears of every frame.

    Raises:
        UsageError: a zone is outside the picture, or the recording ends before `at_s`.
        SourceError: it cannot be decoded.
        SinkError: a file cannot be written.
    """
    require_reached(spec, at_s)
    info, _ = _frame(replace(spec, samplings=(Sampling("all"),), short_side=spec.patch), 0.0)
    nothing: Iterator[Held] = iter(())
    track = Track(held_maps(said.zones) if said else nothing)
    drawn = _outlines(places, info.source_hw)
    panel = ZonesPanel(track, said.alarms if said else (), drawn)
    sheet = Sheet(Heading(spec.stream, "zones as they are drawn"), [panel], info.source_hw)
    first = said.first if said else Place(info.event_time_us, info.position, None)
    shown = shown_frames(spec, fps=fps, short_side=sheet.short_side, first=first)
    with ExitStack() as stack:
        stack.callback(shown.close)
        return write_film(outputs, film_of(sheet, shown, tell), fps=fps, still_s=at_s)


def _newest(reader: Reader, topic: str, where: Filter) -> list[Message]:
    there = list(messages(reader, [topic], where))
    newest = there[-1].headers["ce_variant"] if there else ""
    return [message for message in there if message.headers["ce_variant"] == newest]


def _outlines(places: Places, source_hw: tuple[int, int]) -> list[Outline]:
    try:
        return outlines(places, source_hw)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _frame(spec: StreamSpec, at_s: float) -> tuple[FrameInfo, Pixels]:
    """The first frame at a moment."""
    began_us: int | None = None
    with closing(decoded(spec)) as entries:
        for entry in entries:
            if isinstance(entry, End):
                raise SourceError(f"{spec.stream}: {entry.detail or f'no frame at {at_s:g} s'}")
            if isinstance(entry, Fault) and spec.live:  # which would be tried again for ever
                raise SourceError(f"{spec.stream}: {entry.detail}")
            if not isinstance(entry, Frames):
                continue
            for info, pixels in zip(entry.infos, entry.pixels, strict=True):
                began_us = info.event_time_us if began_us is None else began_us
                if info.event_time_us - began_us >= at_s * 1e6:
                    return info, pixels
    raise AssertionError("a stream ends with its End")
