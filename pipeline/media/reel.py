"""Decodes one opened source into pictures, in output order, and says what was lost."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from fractions import Fraction

import av
from av.packet import Packet
from av.video.stream import VideoStream

from pipeline.errors import SourceError
from pipeline.media.aperture import Aperture
from pipeline.media.arrivals import EARLY_US
from pipeline.media.container import Opened, is_network, open_video
from pipeline.media.decoder import Decoder
from pipeline.media.device import Device
from pipeline.media.failure import describe, is_out_of_memory, out_of_memory
from pipeline.media.follow import Turn, followed, stamped
from pipeline.media.mov import described, frames_declared
from pipeline.media.picture import Loss, Mark, Splice, Step
from pipeline.media.scan import timestamps_are_plain
from pipeline.media.sender_clock import SenderClock
from pipeline.media.tape_writer import TapeWriter, taped
from pipeline.media.transfer import Transfer

MICROSECOND = Fraction(1, 1_000_000)


class VideoReel:
    """Implements `pipeline.media.picture.Reel` with libav, one thread.

    Attributes:
        sender: live: what is told of the clock that made the timestamps; None: nobody's did.
    """

    seeks_by_place = False

    def __init__(
        self,
        opened: Opened,
        *,
        keyframes: bool,
        max_pixels: int,
        damaged: bool = False,
        deinterlace: bool = True,
        device: Device = "cpu",
        aperture: Aperture | None = None,
        timeout_s: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            opened: from `open_video`; closed with the reel.
            keyframes: decode key frames only.
            max_pixels: refuse larger pictures.
            damaged: give out pictures that a loss has spoilt.
            deinterlace: take one field of interlaced pictures.
            device: what decodes.
            aperture: what is shown of them; None: all.
            timeout_s: live: longest wait for the next picture's bytes.
            clock: seconds, monotonic.
        """
        self._opened = opened
        self._timeout_s = timeout_s
        self._silence = f"no frame for {timeout_s:g} s"
        self._clock = clock
        context = opened.stream.codec_context
        self._decoder = Decoder(
            context,
            keyframes=keyframes,
            max_pixels=max_pixels,
            damaged=damaged,
            deinterlace=deinterlace,
            device=device,
            aperture=aperture,
        )
        self._decoders = {opened.stream.index: self._decoder}
        self._stream = opened.stream  # that is decoded now
        self._max_pixels = max_pixels
        self._left_out: Loss | None = None  # of the file, behind what is played
        self._unscanned: str | None = None  # a file whose timestamps decide on `keyframes`
        self._packets = 0
        self._last: list[int | None] = [None, None, None]
        self._awaited: Mark | None = None  # how far it had read at the frame that was sought
        self._sought = False  # the next packet is the first after a seek
        self._tape: TapeWriter | None = None
        has_clock = not self.finite and not self.clockless
        told = (opened.container.format.name, opened.creation_time_us, self.time_base)
        self.sender = SenderClock(*told) if has_clock else None

    @classmethod
    def open(
        cls,
        url: str,
        *,
        keyframes: bool,
        max_pixels: int,
        timeout_s: float,
        transfer: Transfer | None = None,
        damaged: bool = False,
        deinterlace: bool = True,
        device: Device = "cpu",
    ) -> VideoReel:
        """Open a source; `keyframes` is what the caller wants, and done where it changes no id.

        Raises:
            SourceError: see `open_video`.
        """
        opened = open_video(url, max_pixels=max_pixels, timeout_s=timeout_s, transfer=transfer)
        try:
            aperture, behind = described(opened, url)
            reel = cls(
                opened,
                keyframes=keyframes,
                max_pixels=max_pixels,
                damaged=damaged,
                deinterlace=deinterlace,
                device=device,
                aperture=aperture,
                timeout_s=timeout_s,
                clock=transfer.clock if transfer else time.monotonic,
            )
        except SourceError:
            opened.close()
            raise
        reel._left_out = behind
        reel._unscanned = url if keyframes and not is_network(url) else None
        return reel

    @property
    def finite(self) -> bool:
        """It has an end and waits for us, as a file does and a camera does not."""
        return self._opened.finite

    @property
    def clockless(self) -> bool:
        """It is live and its container has no clock: pictures are stamped as they arrive."""
        return self._opened.arrivals is not None

    @property
    def behind_s(self) -> float:
        """How much earlier than it comes the first picture is put."""
        return EARLY_US / 1_000_000 if self.clockless else 0.0

    @property
    def time_base(self) -> Fraction:
        """Seconds per tick."""
        own = None if self.clockless else self._opened.stream.time_base
        return Fraction(own.numerator, own.denominator) if own else MICROSECOND

    @property
    def _frame_ticks(self) -> int | None:
        """A frame's nominal duration; raw streams have nothing else to tell the time by."""
        rate = self._stream.guessed_rate
        return round(1 / (rate * self.time_base)) if rate else None

    @property
    def creation_time_us(self) -> int | None:
        """When it was recorded, as the container says; microseconds since the epoch."""
        return self._opened.creation_time_us

    @property
    def rendered(self) -> bool:
        """It names the scene that dinostream drew."""
        return self._opened.rendered

    @property
    def duration_s(self) -> float | None:
        """How long it says it is; None where it does not say, as cameras do not."""
        duration = self._opened.container.duration
        return None if duration is None else duration / av.time_base

    def pictures(self) -> Iterator[Step]:
        """Decode from where the reel stands; see `Reel.pictures`."""
        if self._unscanned is not None:
            plain = yield from timestamps_are_plain(self._unscanned, self._max_pixels)
            self._decoder.keyframes = plain
            self._unscanned = None
        packets, heard_s = stamped(followed(self._opened), self._opened), self._clock()
        packets = taped(packets, self._tape) if self._tape else packets
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                break
            except (av.FFmpegError, OSError, MemoryError) as error:
                ended = self._reading_ended(error)
                yield from self._drain()
                yield Loss(0, ended)
                return
            if packet is None:
                if self._clock() - heard_s >= self._timeout_s:
                    yield from self._drain()
                    yield Loss(0, self._silence)
                    return
                yield None
                continue
            heard_s = self._clock()
            if isinstance(packet, Turn):
                yield from self._turn(packet)
                continue
            if isinstance(packet, Loss):
                yield packet
                continue
            if self._overshot(packet):
                return
            self._count(packet)
            if self.sender:
                self.sender.see(packet)
            yield from self._decoder.decode(packet, self._frame_ticks)
            yield None
        expected = frames_declared(self._opened)
        if self._awaited is None and (missing := expected - self._reached) > 0:
            text = f"the file ends early: {missing} of {expected} frames are not there"
            yield Loss(missing, text)
        if self._left_out is not None:
            yield self._left_out

    def tape_on(self, tape: TapeWriter) -> None:
        """Keep what is read from now on."""
        tape.begin(self._opened, self.time_base, keyframes=self._decoder.keyframes)
        self._tape = tape

    def _drain(self) -> Iterator[Step]:
        """What the decoder holds, where nothing more comes."""
        if self._tape:
            self._tape.end()
        yield from self._decoder.decode(None, self._frame_ticks)

    def _turn(self, turn: Turn) -> Iterator[Step]:
        """Go on with another stream: what waits in the decoder belongs to the one before."""
        yield from self._decoder.decode(None, self._frame_ticks)
        self._switch(turn.stream)
        if turn.splices:
            yield Splice()

    def _switch(self, stream: VideoStream) -> None:
        if stream.index not in self._decoders:
            self._decoders[stream.index] = self._decoder.successor(stream.codec_context)
        self._stream, self._decoder = stream, self._decoders[stream.index]

    def mark(self) -> Mark:
        """Packets read so far, and dts, pts and place in the file of the last."""
        return [self._packets, *self._last]

    def seek(self, pts: int, mark: Mark) -> bool:
        """Go to a key frame at or before `pts`, as well as the container can; whether it went."""
        self._awaited, self._sought = mark, True
        self._switch(self._opened.stream)
        for decoder in self._decoders.values():
            decoder.restart()
        try:
            self._opened.container.seek(pts, stream=self._opened.stream, backward=True)
        except (av.FFmpegError, OSError):
            return False
        return True

    def close(self) -> None:
        """Let go of files and memory."""
        self._opened.close()
        if self._tape:
            self._tape.close()

    def _overshot(self, packet: Packet[VideoStream]) -> bool:
        """A seek went past the mark: where files were pasted together, timestamps come twice."""
        sought, self._sought = self._sought, False
        place = self._awaited[-1] if sought and self._awaited else None
        return place is not None and packet.pos is not None and packet.pos > place

    def _count(self, packet: Packet[VideoStream]) -> None:
        """After a seek the count is right again from the marked packet on."""
        if not packet.size:  # flushes the decoder
            return
        self._packets += 1
        self._last = [packet.dts, packet.pts, packet.pos]
        if self._awaited is not None and self._last == self._awaited[1:]:
            self._packets, self._awaited = self._awaited[0] or 0, None

    @property
    def _reached(self) -> int:
        """How many of them have come."""
        dts = self._last[0]
        if self._opened.container.format.name == "avi" and dts is not None:
            return max(self._packets, dts + 1)  # its null frames are no packets but take their time
        return self._packets

    def _reading_ended(self, error: Exception) -> str:
        if is_out_of_memory(error):
            raise out_of_memory() from None
        if not self.finite and isinstance(error, TimeoutError | av.error.ExitError):
            return self._silence  # libav was stopped by us, and says so
        return f"reading ended early: {describe(error)}"
