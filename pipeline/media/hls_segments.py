"""Decodes segments one after the other as if they were one stream.

Bytes in -> pictures out, in ticks of 90 kHz. Each segment has a container of its own, so that a
missing one harms no other; the decoder goes through, as frames may wait in it for later ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import av
from av.packet import Packet
from av.video.stream import VideoStream

from pipeline.media.container import Opened
from pipeline.media.decoder import Decoder
from pipeline.media.device import Device
from pipeline.media.failure import describe
from pipeline.media.follow import Packets, Turn, followed
from pipeline.media.picture import Loss, Picture, Splice, Step

TIME_BASE = Fraction(1, 90_000)
_WAITING = 64  # packets whose pictures may still be in the decoder


class Segments:
    """The decoder of a playlist, and what it has brought."""

    def __init__(
        self,
        *,
        keyframes: bool,
        max_pixels: int,
        damaged: bool,
        deinterlace: bool = True,
        device: Device = "cpu",
    ) -> None:
        """
        Args:
            keyframes: decode key frames only.
            max_pixels: refuse larger pictures.
            damaged: give out pictures that a loss has spoilt.
            deinterlace: take one field of interlaced pictures.
            device: what decodes.
        """
        self._damaged = damaged
        self._deinterlace = deinterlace
        self._device: Device = device
        self._keyframes, self.max_pixels = keyframes, max_pixels
        self._decoder: Decoder | None = None
        self._codec: tuple[str, bytes] = ("", b"")  # and what its segments begin with
        self._ratio = Fraction(1)  # of the containers' ticks to ours
        self._origins: dict[int, int] = {}  # pts of a packet -> the segment it came in
        self._number = 0
        self._pictures, self._seconds = 0, 0.0

    @property
    def rate(self) -> float | None:
        """Pictures per second of footage so far."""
        return self._pictures / self._seconds if self._pictures and self._seconds else None

    def play(self, number: int, seconds: float, head: bytes, opened: Opened) -> Iterator[Step]:
        """The next segment; the pictures that wait for a later one come with that.

        Args:
            number: what `origin` says of its pictures.
            seconds: its length.
            head: what its bytes begin with, beside others' of the same encoding.
            opened: its bytes; closed afterwards.

        Raises:
            SourceError: its pictures are too large.
        """
        try:
            yield from self._begin(opened, head)
            self._number = number
            self._seconds += seconds
            rate = opened.stream.guessed_rate
            ticks = round(1 / (rate * TIME_BASE * self._ratio)) if rate else None
            for packet in self._packets(opened):
                if isinstance(packet, Turn):
                    yield from self._turn(packet)
                elif isinstance(packet, Loss):
                    yield packet
                else:
                    yield from self._decode(packet, ticks)
                yield None
        finally:
            opened.container.close()

    def drain(self) -> Iterator[Picture | Loss]:
        """What waits in the decoder; the next segment begins anew."""
        if self._decoder is not None:
            yield from self._decode(None, None)
        self._decoder = None
        self._origins.clear()

    def origin(self, picture: Picture) -> int:
        """The segment that a picture came in."""
        pts = picture.frame.pts
        return self._number if pts is None else self._origins.get(pts, self._number)

    def _begin(self, opened: Opened, head: bytes) -> Iterator[Picture | Loss]:
        """Another encoding needs another decoder."""
        context = opened.stream.codec_context
        codec = (context.name, head)
        if self._decoder is not None and codec != self._codec:
            yield from self.drain()
        if self._decoder is None:
            self._decoder = Decoder(
                context,
                keyframes=self._keyframes,
                max_pixels=self.max_pixels,
                damaged=self._damaged,
                deinterlace=self._deinterlace,
                device=self._device,
            )
            self._codec = codec
            own = opened.stream.time_base or TIME_BASE
            self._ratio = Fraction(own.numerator, own.denominator) / TIME_BASE

    def _turn(self, turn: Turn) -> Iterator[Step]:
        """The segment goes on with another stream."""
        assert self._decoder
        context = turn.stream.codec_context
        decoder = self._decoder.successor(context)
        yield from self.drain()
        self._decoder, self._codec = decoder, (context.name, self._codec[1])
        if turn.splices:
            yield Splice()

    def _packets(self, opened: Opened) -> Packets:
        packets = followed(opened)
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, OSError) as error:
                yield Loss(1, f"a segment ends early: {describe(error)}")
                return
            if packet is None:
                return
            if (
                isinstance(packet, Turn | Loss) or packet.size
            ):  # an empty one would drain the decoder, and the next segment goes on
                yield packet

    def _decode(
        self, packet: Packet[VideoStream] | None, ticks: int | None
    ) -> Iterator[Picture | Loss]:
        assert self._decoder
        if packet and packet.pts is not None:
            self._origins[packet.pts] = self._number
            while len(self._origins) > _WAITING:
                del self._origins[next(iter(self._origins))]
        for item in self._decoder.decode(packet, ticks):
            if isinstance(item, Picture):
                self._pictures += 1
                item = self._in_our_ticks(item)
            yield item

    def _in_our_ticks(self, picture: Picture) -> Picture:
        pts, duration = picture.pts, picture.duration
        return replace(
            picture,
            pts=None if pts is None else int(pts * self._ratio // 1),
            duration=None if duration is None else int(duration * self._ratio // 1),
        )
