"""Writes a connection's tape: what is read from a container -> segments of film and journal.

Whatever goes wrong with it is its own trouble: it stops, and says so once.
"""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import av
from av.packet import Packet
from av.video.stream import VideoStream

from pipeline.media.container import Opened
from pipeline.media.film_clock import FilmClock
from pipeline.media.follow import Packets, Turn
from pipeline.media.picture import Loss
from pipeline.media.side_data import side_data
from pipeline.media.tape import (
    CORRUPT,
    END,
    FULL,
    KEY,
    Header,
    Segment,
    Taping,
    make_folder,
    private,
    trim,
)

LONGEST = 5  # a segment without a key frame, where others are one long


class TapeWriter:
    """One connection's.

    Attributes:
        now_us: when what was read last came, microseconds since the epoch. All that becomes of it
            goes by this, in the run and in every replay.
    """

    def __init__(
        self,
        taping: Taping,
        stream: str,
        session: str,
        clock: str,
        wall_us: Callable[[], int],
        state: Callable[[], dict[str, Any] | None],
    ) -> None:
        """
        Args:
            taping: where, and how much.
            stream: its id.
            session: of the connection.
            clock: what its event time goes by.
            wall_us: clock, microseconds since the epoch; never set.
            state: what the session remembers.
        """
        self._taping = taping
        self._stream = stream
        self._wall_us = wall_us
        self._state = state
        self.now_us = int(session)
        self._header: Header | None = None
        self._session = session
        self._clock = clock
        self._folder = Path()
        self._film: _Film | None = None
        self._journal: IO[str] | None = None
        self._since_us = 0
        self._failure = ""

    def begin(self, opened: Opened, time_base: Fraction, *, keyframes: bool = False) -> None:
        """What is taped, before anything is read of it.

        Args:
            opened: the connection.
            time_base: seconds per tick of the packets' timestamps.
            keyframes: they alone are decoded.
        """
        with self._trouble():
            self._folder = make_folder(self._taping, self._stream)
            self._header = Header(
                session=self._session,
                number=0,
                clock=self._clock,
                keyframes=keyframes,
                kind=opened.container.format.name,
                created_us=opened.creation_time_us,
                clockless=opened.arrivals is not None,
                time_base=str(time_base),
                frame_ticks=None,
                field_order=0,
            )
            self._cut(opened.stream)

    def hear(self, came: Packet[VideoStream] | Turn | Loss | None) -> None:
        """The next that was read of the container."""
        self.now_us = self._wall_us()
        with self._trouble():
            if isinstance(came, Turn):
                self._cut(came.stream, turn=came.splices)
            elif isinstance(came, Loss):
                self._note({"loss": [came.frames, came.detail], "at": self.now_us})
            elif came is None:
                self._note(self.now_us)
            elif came.size:
                self._keep(came)
            else:
                self.end()

    def end(self) -> None:
        """Nothing more comes, and what the decoder holds is given out."""
        with self._trouble():
            self._note(END)

    def tell_full(self) -> None:
        """Nothing waits for the camera's clock any more. That is no function of what comes, but of
        the frames that the run takes, so a replay could not know it."""
        with self._trouble():
            self._note(FULL)

    def take_failure(self) -> str:
        """Why there is no tape any more, once; "" while there is."""
        failure, self._failure = self._failure, ""
        return failure

    def close(self) -> None:
        """Let go of the files."""
        with self._trouble():
            self._let_go()

    def _let_go(self) -> None:
        film, self._film = self._film, None
        journal, self._journal = self._journal, None
        try:
            if film:
                film.close()
        finally:
            if journal:
                journal.close()

    def _keep(self, packet: Packet[VideoStream]) -> None:
        segments = (self.now_us - self._since_us) / (self._taping.segment_s * 1_000_000)
        if segments >= (1 if packet.is_keyframe else LONGEST):
            self._cut(packet.stream)
        if self._film is None:
            return
        self._film.write(packet)
        flags = KEY * packet.is_keyframe | CORRUPT * packet.is_corrupt
        times = [packet.pts, packet.dts, packet.duration]
        side = {kind: b64encode(data).decode() for kind, data in side_data(packet).items()}
        self._note([*times, flags, packet.size, self.now_us, *([side] if side else [])])

    def _cut(self, stream: VideoStream, *, turn: bool | None = None) -> None:
        if self._header is None:
            return
        self._let_go()
        rate, base = stream.guessed_rate, Fraction(self._header.time_base)
        self._header = header = replace(
            self._header,
            number=self._header.number + 1,
            frame_ticks=round(1 / (rate * base)) if rate else None,
            field_order=stream.codec_context.field_order,
            turn=turn,
            state=self._state() if self._header.number else None,
        )
        trim(self._folder, self._taping, time.time())
        segment = Segment(self._folder, self._session, header.number)
        self._journal = open(  # noqa: SIM115 - closed at the next cut
            segment.journal, "x", encoding="utf-8", opener=private
        )
        self._note(header)
        self._film = _Film(segment.film, stream, base)
        self._since_us = self.now_us

    def _note(self, what: object) -> None:
        if self._journal is not None:
            line = what.to_line() if isinstance(what, Header) else _plain(what)
            self._journal.write(line + "\n")
            self._journal.flush()

    def _trouble(self) -> _Trouble:
        return _Trouble(self._stop)

    def _stop(self, error: Exception) -> None:
        reason = getattr(error, "strerror", "") or type(error).__name__
        self._failure = f"it is not taped any more: {reason}"
        self._header = None
        with suppress(OSError, av.FFmpegError):
            self._let_go()


class _Trouble:
    """Whatever is raised in it by disk or libav is handed over instead."""

    def __init__(self, tell: Callable[[Exception], None]) -> None:
        self._tell = tell

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, OSError | av.FFmpegError | ValueError):
            self._tell(error)
            return True
        return False


class _Film:
    """The packets of one segment in a NUT file, which plays."""

    def __init__(self, path: Path, stream: VideoStream, time_base: Fraction) -> None:
        """Begin it; raises OSError where it is there already or cannot be made."""
        # Written through at once: what is in a buffer dies with the process.
        self._file = open(path, "xb", buffering=0, opener=private)  # noqa: SIM115
        options = {"flush_packets": "1", "write_index": "0"}
        self._container = av.open(_Whole(self._file), "w", format="nut", options=options)
        self._stream = self._container.add_stream_from_template(stream, opaque=True)
        self._time_base = time_base
        self._clock = FilmClock(time_base)

    def write(self, packet: Packet[VideoStream]) -> None:
        copy = av.Packet(bytes(packet))
        copy.pts, copy.dts = self._clock.place(packet.pts, packet.dts)
        copy.time_base = self._time_base
        copy.is_keyframe = packet.is_keyframe
        copy.stream = self._stream
        self._container.mux(copy)

    def close(self) -> None:
        try:
            self._container.close()
        finally:
            self._file.close()


class _Whole:
    """What libav writes to: a file that takes all it is given, or raises. It cannot be sought."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        return len(data)


def taped(packets: Packets, tape: TapeWriter) -> Packets:
    """The same, each on the tape before anything becomes of it."""
    for came in packets:
        tape.hear(came)
        yield came


def _plain(what: object) -> str:
    return json.dumps(what, separators=(",", ":"))
