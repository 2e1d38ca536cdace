"""Records drawn over the video that they are of: from a sink and a recording to files.

What to draw in -> files out. The records are there already; who makes them is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from operators.errors import UsageError
from pipeline.drawing.warning import warning_text
from pipeline.records.filter import Filter
from pipeline.records.record import Message
from pipeline.render.action_panel import ActionPanel
from pipeline.render.film import FilmFrame, Outputs, write_film
from pipeline.render.map_panels import OVER, AnomalyPanel, DepthPanel, PcaPanel, SegmentationPanel
from pipeline.render.overlay import OVERLAYS, Overlay
from pipeline.render.panel import FramePanel, Panel
from pipeline.render.pixels import Shown, shown_frames
from pipeline.render.sheet import Heading, Sheet
from pipeline.render.survey import Survey, messages, survey
from pipeline.render.track import Track, held_maps, held_windows
from pipeline.render.wanted import DRAWN, Wanted
from pipeline.render.zones_panel import ZonesPanel, alarms
from pipeline.secrets import mask_url
from pipeline.sinks.sink import Reader
from pipeline.sinks.uri import open_reader
from pipeline.stream.spec import StreamSpec

LAYOUTS = ("side", "blend")
FPS = 10.0
EVERYTHING = (*DRAWN, *OVERLAYS)
"""Topics that can be drawn."""

Tell = Callable[[Shown], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What to draw.

    Attributes:
        sink: URI of the records.
        spec: the recording they are of.
        outputs: the files.
        operators: which records: topics of `EVERYTHING`.
        stream: the records' stream; None where the recording's session says it.
        model: architecture, or architecture and start of the weights' hash, that the records are
            of; None where the newest will do.
        variants: of the records; none where the newest will do.
        layout: `side`: maps beside the video; `blend`: laid over it.
        fps: frames per second of the film.
        still_s: which moment the PNG shows, seconds since the first frame; None: the middle.
        settings: further settings of the sink's client.
    """

    sink: str
    spec: StreamSpec
    outputs: Outputs
    operators: tuple[str, ...]
    stream: str | None = None
    model: str | None = None
    variants: tuple[str, ...] = ()
    layout: str = LAYOUTS[0]
    fps: float = FPS
    still_s: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def wanted(self) -> Wanted:
        """The records it takes."""
        return Wanted(
            sink=mask_url(self.sink),
            source=mask_url(self.spec.url),
            session=self.spec.session,
            stream=self.stream,
            operators=self.operators,
            model=self.model,
            variants=self.variants,
        )


@dataclass(frozen=True, slots=True)
class Rendered:
    """What was drawn: whose records, of which model and operators, and how many frames.

    Attributes:
        notes: what else there was to draw.
    """

    stream: str
    model: str
    operators: tuple[str, ...]
    frames: int
    notes: tuple[str, ...]


def render(wish: Wish, *, tell: Tell) -> Rendered:
    """Draw the film.

    Args:
        wish: what to draw.
        tell: told of each frame of the footage that is drawn.

    Raises:
        UsageError: no records of the recording.
        SourceError: it cannot be decoded.
        SinkError: the records cannot be read, or a file cannot be written.
    """
    with ExitStack() as stack:

        def reader() -> Reader:
            opened = open_reader(wish.sink, settings=wish.settings)
            stack.callback(opened.close)
            return opened

        found = survey(reader(), wish.wanted)
        panels = _panels(wish, found, reader)
        warning = warning_text(untrained=found.untrained, out_of_domain=found.out_of_domain)
        heading = Heading(found.stream, found.model, warning)
        sheet = Sheet(heading, panels, found.source_hw)
        shown = shown_frames(
            wish.spec, fps=wish.fps, short_side=sheet.short_side, first=found.first
        )
        stack.callback(shown.close)
        still_s = wish.still_s
        if still_s is None:
            still_s = (found.last_us - found.first.time_us) / 2e6
        only_still = wish.outputs.paths == [wish.outputs.png]
        wanted = _one(shown, still_s) if only_still else shown
        drawn = film_of(sheet, wanted, tell)
        frames = write_film(wish.outputs, drawn, fps=wish.fps, still_s=still_s)
    return Rendered(found.stream, found.model, tuple(found.topics), frames, found.notes)


def _one(shown: Iterator[Shown], still_s: float) -> Iterator[Shown]:
    """The frame that a PNG shows; those before it need not be drawn."""
    last: Shown | None = None
    for last in shown:
        if last.elapsed_s >= still_s:
            break
    if last is not None:
        yield last


def film_of(sheet: Sheet, shown: Iterator[Shown], tell: Tell) -> Iterator[FilmFrame]:
    """Every frame as the sheet has it; `tell` hears of each."""
    for one in shown:
        yield FilmFrame(one.elapsed_s, sheet.frame(one.pixels, one.time_us, one.elapsed_s))
        tell(one)


def _panels(wish: Wish, found: Survey, reader: Callable[[], Reader]) -> list[Panel]:
    """The video where it stands by itself, then what there are records of."""
    blend = wish.layout == "blend"

    def records(topic: str) -> Iterator[Message]:
        variant = found.topics[topic].headers["ce_variant"]
        where = Filter((found.stream,), wish.spec.session, variant)
        return messages(reader(), [topic], where)

    video = FramePanel(_overlays(found, records), found.source_hw)
    panels: list[Panel] = []
    for topic, own in found.topics.items():
        if topic in OVERLAYS:
            continue
        if topic == "action":
            panels.append(ActionPanel(Track(held_windows(records(topic)))))
            continue
        track = Track(held_maps(records(topic)))
        if topic == "zones":
            panels.append(ZonesPanel(track, alarms(_alerts(wish, found, reader()))))
        elif topic == "depth":
            panels.append(DepthPanel(track, own, blend=blend))
        elif topic == "anomaly":
            panels.append(AnomalyPanel(track, own, blend=blend))
        elif topic == "segmentation":
            name = own.headers["ce_labelset"]
            if name not in found.labels:
                raise UsageError(f"{mask_url(wish.sink)} does not say what label set {name} means")
            panels.append(SegmentationPanel(track, own, found.labels[name], blend=blend))
        else:
            panels.append(PcaPanel(track, blend=blend))
    laid_over = blend and any(topic in OVER for topic in found.topics)
    return panels if laid_over and not video.overlaid else [video, *panels]


def _overlays(found: Survey, records: Callable[[str], Iterator[Message]]) -> list[Overlay]:
    """What there are records of; where things are tracked, their detections say the same."""
    drawn = {
        topic: kind(records(topic)) for topic, kind in OVERLAYS.items() if topic in found.topics
    }
    if "tracks" in drawn:
        drawn.pop("detections", None)
    return list(drawn.values())


def _alerts(wish: Wish, found: Survey, reader: Reader) -> list[Message]:
    """Of the newest variant; there are few."""
    where = Filter((found.stream,), wish.spec.session)
    there = [
        message
        for message in messages(reader, ["zones.alerts"], where)
        if message.headers["ce_model"] == found.model
    ]
    newest = there[-1].headers["ce_variant"] if there else ""
    return [message for message in there if message.headers["ce_variant"] == newest]
