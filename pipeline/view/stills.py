"""Which picture of a frame is shown: out of footage that is at hand, else of the topic `frames`.

What a job has hidden in its pictures (`blur`) is not shown out of footage either.
"""

from __future__ import annotations

from contextlib import suppress

from pipeline.view.axes import Axes
from pipeline.view.pictures import NoPicture, Pictures
from pipeline.view.series import Axis, Series, Shelf, place_of, session_of

TOPIC = "frames"
WHY_NONE = (
    "the records have no pictures: name the footage with --media, or let the job publish some "
    "(operators: {frames: {}})"
)
HIDDEN = "of this frame no picture was published, and footage would show what the job hides"


class Stills:
    """Of all streams of a sink. From any thread."""

    def __init__(self, shelf: Shelf, axes: Axes, pictures: Pictures) -> None:
        self._shelf = shelf
        self._axes = axes
        self._pictures = pictures

    def of(self, axis: Axis, session: str, position: str, side: int) -> bytes:
        """A JPEG of that very frame; one that was published is as large as it is.

        Raises:
            NoPicture: there is none, and why.
        """
        if Axis.of(axis.stream, session) != axis:
            raise NoPicture(f"session {session} is not on axis {axis.name} of {axis.stream}")
        if self.in_footage(axis.stream, session):
            frames = self._axes.frames(axis)
            number = max(frames.last_to(place_of(session, position)), 0)
            where = (axis.stream, session, position, frames.time_us(number))
            region = frames.headers(number).get("ce_region", "")
            return self._pictures.of(*where, side, region)
        variant = self._published(axis).variants.get(session, "-")
        identity = f"{TOPIC}/{axis.stream}/{session}/{position}/{variant}"
        record = self._shelf.index.record(TOPIC, identity)
        if record is None:
            raise NoPicture(HIDDEN if self._hides(axis.stream, session) else WHY_NONE)
        return record.message.value

    def decoded(
        self, stream: str, session: str, position: str, time_us: int, side: int, region: str
    ) -> bytes | None:
        """The same out of footage alone; None where there is none."""
        if self.in_footage(stream, session):
            with suppress(NoPicture):
                return self._pictures.of(stream, session, position, time_us, side, region)
        return None

    def source(self, axis: Axis) -> str | None:
        """`footage`, `frames`, or None: of the newest frame."""
        frames = self._axes.frames(axis)
        if self.in_footage(axis.stream, session_of(frames.headers(len(frames) - 1))):
            return "footage"
        return TOPIC if len(self._published(axis)) else None

    def in_footage(self, stream: str, session: str) -> bool:
        """Whether a session's recording is at hand, and nothing in it is hidden."""
        found = self._pictures.source(stream, session) is not None
        return found and not self._hides(stream, session)

    def close(self) -> None:
        """Let go of decoders."""
        self._pictures.close()

    def _hides(self, stream: str, session: str) -> bool:
        """Whether a job that published pictures of the session hid something in them, or the one
        that published the stream's newest."""
        index = self._shelf.index
        newest = [one.message.headers for one in index.newest(TOPIC, stream, 1)]
        own = [one.last_offset for one in index.versions(TOPIC, stream, session)]
        newest += [index.headers(offset) or {} for offset in own]
        return any("ce_blurred" in headers for headers in newest)

    def _published(self, axis: Axis) -> Series:
        return self._shelf.series(TOPIC, axis)
