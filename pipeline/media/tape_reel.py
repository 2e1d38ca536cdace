"""Plays one session of a tape as the connection was played: the same packets at the same times."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, cast

import av
from av.packet import Packet
from av.video.stream import VideoStream

from pipeline.errors import SourceError
from pipeline.media.arrivals import EARLY_US
from pipeline.media.container import Opened, open_video
from pipeline.media.decoder import Decoder
from pipeline.media.device import Device
from pipeline.media.picture import Loss, Mark, Splice, Step
from pipeline.media.sender_clock import SenderClock
from pipeline.media.side_data import attach
from pipeline.media.tape import CORRUPT, END, FULL, KEY, Header, Segment

OPEN_S = 60.0  # a file is not waited for; libav wants a number


class TapeReel:
    """One session. To whoever captures it, it is a connection.

    Attributes:
        sender: what was told of the camera's clock; None: nobody did.
        clock: what its event time went by.
        keyframes: they alone are decoded, as they were then.
        full: the run had no room there to wait longer for the camera's clock.
        state: what the session remembered where its frames begin here; None: at its beginning.
        broken: why the tape breaks off before its end; "" where it does not.
        failed: what ended the reading though it is no fault of the tape's; None: nothing did.
    """

    finite = False

    def __init__(
        self,
        segments: Sequence[Segment],
        *,
        max_pixels: int,
        damaged: bool,
        deinterlace: bool,
        device: Device = "cpu",
    ) -> None:
        """
        Args:
            segments: of the session, in order. Where the first is not its beginning, that one only
                warms the decoder up, and frames begin with the second.
            max_pixels, damaged, deinterlace, device: as of `open_reel`. Which frames are decoded
                the tape says: they decide on the others' times.

        Raises:
            SourceError: they cannot be played.
        """
        self._segments = segments
        self._rules: dict[str, Any] = {
            "max_pixels": max_pixels,
            "damaged": damaged,
            "device": device,
        }
        first = segments[0].header()
        self.keyframes = first.keyframes
        self._rules |= {"keyframes": first.keyframes, "deinterlace": deinterlace}
        self._warms = first.number > 1
        self.state = segments[1].header().state if self._warms and segments[1:] else None
        self._now_us = int(first.session)
        self.time_base = Fraction(first.time_base)
        has_clock = not first.clockless
        told = (first.kind, first.created_us, self.time_base)
        self.sender = SenderClock(*told) if has_clock else None
        self.behind_s = EARLY_US / 1_000_000 if first.clockless else 0.0
        self._decoder: Decoder | None = None
        self._opened: Opened | None = None
        self._packets = 0
        self.clock = first.clock
        self.full = False
        self.broken = ""
        self.failed: SourceError | None = None

    def now_us(self) -> int:
        """When what was read last came; at first, when the connection was up."""
        return self._now_us

    def pictures(self) -> Iterator[Step]:
        """As of `Reel`; ends where the connection did, or where the tape does."""
        if self._warms and self.state is None:
            self.broken = "its beginning is gone, and what is left of it begins nowhere"
            return
        before = self._segments[0].number - 1
        for segment in self._segments:
            if segment.number != before + 1:
                self.broken = f"segment {before + 1} is gone, and the decoder cannot do without it"
                return
            before = segment.number
            warming = self._warms and segment is self._segments[0]
            for step in self._play(segment):
                yield None if warming else step
            if warming and self.sender and self.state:
                self.sender.restore(self.state["sender"])
            if self.broken:
                return

    def mark(self) -> Mark:
        """Packets read so far; a tape is never sought."""
        return [self._packets, None, None, None]

    def close(self) -> None:
        """Let go of files and memory."""
        if self._opened is not None:
            self._opened.close()
        self._opened = None

    def _play(self, segment: Segment) -> Iterator[Step]:
        header, lines = segment.header(), segment.lines()
        next(lines)
        self.close()
        try:
            self._opened = opened = self._open(segment)
        except SourceError as error:  # a film that has just been begun holds nothing yet
            self.broken = "" if next(lines, None) is None else f"{segment.film.name}: {error}"
            return
        if self._decoder is None or header.turn is not None:
            yield from self._decode(None, header)
            with self._telling():
                self._decoder = self._decoder_of(opened.stream, header)
            if header.turn:
                yield Splice()
        film = (packet for packet in opened.container.demux(opened.stream) if packet.size)
        for line in lines:
            if isinstance(line, list):
                packet = self._restored(line, film)
                if packet is None:
                    self.broken = f"{segment.film.name} is not what its journal says"
                    return
                yield from self._decode(packet, header)
            elif isinstance(line, dict):
                self._now_us = line["at"]
                yield Loss(*line["loss"])
                continue
            elif line == END:
                yield from self._decode(None, header)
                return
            elif line == FULL:
                self.full = True
            else:
                self._now_us = line
            yield None

    def _open(self, segment: Segment) -> Opened:
        return open_video(str(segment.film), max_pixels=self._rules["max_pixels"], timeout_s=OPEN_S)

    def _decoder_of(self, stream: VideoStream, header: Header) -> Decoder:
        context = stream.codec_context
        context.field_order = header.field_order
        return Decoder(context, **self._rules)

    def _decode(self, packet: Packet[VideoStream] | None, header: Header) -> Iterator[Step]:
        if self._decoder is not None:
            with self._telling():
                yield from self._decoder.decode(packet, header.frame_ticks)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except SourceError as error:
            self.failed = error if error.retryable else None
            raise

    def _restored(
        self, line: list[Any], film: Iterator[Packet[VideoStream]]
    ) -> Packet[VideoStream] | None:
        """The next packet of the film as it came; None where that is not the one of the journal."""
        pts, dts, duration, flags, size, self._now_us, *side = line
        try:
            data = bytes(next(film))
        except (StopIteration, av.FFmpegError, OSError):
            return None
        if len(data) != size:
            return None
        packet = cast("Packet[VideoStream]", av.Packet(data))
        packet.pts, packet.dts, packet.duration = pts, dts, duration
        packet.time_base = self.time_base
        packet.is_keyframe, packet.is_corrupt = bool(flags & KEY), bool(flags & CORRUPT)
        for kind, text in side[0].items() if side else ():
            attach(packet, kind, b64decode(text))
        self._packets += 1
        if self.sender:
            self.sender.see(packet)
        return packet
