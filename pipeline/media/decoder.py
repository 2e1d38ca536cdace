"""Packets in -> pictures in output order out, and what was lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from pipeline.errors import SourceError
from pipeline.media.aperture import Aperture
from pipeline.media.card import CUDA, codec_context
from pipeline.media.damage import Damage, Fed
from pipeline.media.device import Device
from pipeline.media.failure import (
    describe,
    is_out_of_memory,
    is_too_large,
    out_of_memory,
    too_large,
)
from pipeline.media.h264 import PictureNumbers, Place
from pipeline.media.picture import Loss, Picture
from pipeline.media.preparation import Preparation


class Decoder:
    """One codec, one thread. Outlives the container that its packets come from."""

    def __init__(
        self,
        context: VideoCodecContext,
        *,
        keyframes: bool,
        max_pixels: int,
        damaged: bool = False,
        deinterlace: bool = True,
        device: Device = "cpu",
        aperture: Aperture | None = None,
    ) -> None:
        """
        Args:
            context: of the stream that is decoded, not used so far.
            keyframes: decode key frames only.
            max_pixels: refuse larger pictures.
            damaged: give out damaged pictures too.
            deinterlace: take one field of interlaced ones.
            device: what decodes.
            aperture: what is shown of them; None: all.

        Raises:
            SourceError: it is to be the GPU, which cannot.
        """
        self._prepare = Preparation(context.field_order, aperture, deinterlace=deinterlace)
        self._deinterlace = deinterlace
        self._device: Device = device
        self._context = codec_context(context, device, max_pixels)
        self._max_pixels = max_pixels
        self._keeps_damaged = damaged
        self._numbers = PictureNumbers(context.extradata) if context.name == "h264" else None
        self._suspicious = False  # something is missing before the next packet or in it
        self._unread = 0  # packets whose place cannot be read, since the last that can
        self._damage: Damage[av.VideoFrame] = Damage()
        self.keyframes = keyframes

    def successor(self, context: VideoCodecContext) -> Decoder:
        """One for another stream, with the same rules."""
        return Decoder(
            context,
            keyframes=self.keyframes,
            max_pixels=self._max_pixels,
            damaged=self._keeps_damaged,
            deinterlace=self._deinterlace,
            device=self._device,
        )

    def decode(
        self, packet: Packet[VideoStream] | None, frame_ticks: int | None
    ) -> Iterator[Picture | Loss]:
        """What comes out for one packet; an empty one, or None, drains the decoder.

        Args:
            packet: the next in decoding order.
            frame_ticks: a frame's nominal duration, where it has none of its own.

        Raises:
            SourceError: a picture is too large, or the memory is used up.
        """
        if self.keyframes:
            yield from self._alone(packet, frame_ticks)
            return
        fed = packet is not None and packet.size > 0
        place = self._feed(packet) if packet and fed else None
        if place:
            if place.missing > self._unread:
                yield Loss(place.missing - self._unread, "a picture is missing")
            self._unread = 0
        frames: list[av.VideoFrame] = []
        try:
            frames = self._context.decode(packet)
        except (av.FFmpegError, MemoryError) as error:
            failed = self._undecodable(error)
            if not self._announces(packet):
                yield failed
                if self._numbers and not place:
                    self._unread += 1  # that it is missing will be seen at the next
                elif fed:
                    self._damage.fail()
        for frame in frames:
            for one, damaged in self._damage.come(
                frame, frame.pts, key=frame.key_frame, faulty=frame.is_corrupt
            ):
                yield self._judged(one, damaged, frame_ticks)
        if not fed:
            for one, damaged in self._damage.drain():
                yield self._judged(one, damaged, frame_ticks)
        withheld = self._damage.withheld()
        if withheld and self._numbers is None:  # H.264's gives out all, and has two packets a frame
            yield Loss(withheld, "a frame refers to what is missing")

    def restart(self) -> None:
        """The next packet does not follow the last: somebody went elsewhere in the stream."""
        self._damage = Damage()
        if self._numbers:
            self._numbers.forget()

    def _feed(self, packet: Packet[VideoStream]) -> Place | None:
        """Tell what is known of a packet, H.264's place in the stream among it."""
        recovers_in = 0 if packet.is_keyframe else None
        place = self._numbers.see(bytes(packet)) if self._numbers else None
        if place and place.recovers_in is not None:
            recovers_in = place.recovers_in
        fed = Fed(
            packet.pts,
            recovers_in,
            reference=place is None or place.reference,
            gap=place is not None and place.missing > 0,
            suspect=self._suspicious,
            done=packet.is_discard,
        )
        self._damage.feed(fed)
        self._suspicious = packet.is_corrupt  # libav's parsers put the flag one packet too early
        return place

    def _announces(self, packet: Packet[VideoStream] | None) -> bool:
        """No frame is lost with it."""
        if packet is None or self._numbers is None:
            return False
        return self._numbers.announces(bytes(packet))

    def _judged(
        self, frame: av.VideoFrame, damaged: bool, frame_ticks: int | None
    ) -> Picture | Loss:
        if damaged and not self._keeps_damaged:
            return Loss(1, "a frame is damaged")
        return self._admit(frame, frame_ticks)

    def _alone(
        self, packet: Packet[VideoStream] | None, frame_ticks: int | None
    ) -> Iterator[Picture | Loss]:
        """A key frame by itself: with `skip_frame`, decoders that reorder give back frames in
        another order (HEVC) or with another frame's pts (packed MPEG-4), and VP9 skips none."""
        fed = packet is not None and packet.size > 0
        if packet and fed and not packet.is_keyframe:
            return
        try:
            frames = self._context.decode(packet)
            if fed:
                frames += self._context.decode(None)
                self._context.flush_buffers()
        except (av.FFmpegError, MemoryError) as error:
            yield self._undecodable(error)
            return
        for frame in frames:
            if frame.is_corrupt or frame.key_frame:
                yield self._judged(frame, frame.is_corrupt, frame_ticks)

    def _admit(self, frame: av.VideoFrame, frame_ticks: int | None) -> Picture:
        if frame.width * frame.height > self._max_pixels:
            raise too_large(self._max_pixels, f"{frame.width}x{frame.height}")
        picture = self._prepare(Picture.of(frame, frame_ticks))
        if not self._context.is_hwaccel:
            return picture
        return replace(picture, preparation=f"{CUDA} {picture.preparation}".rstrip())

    def _undecodable(self, error: Exception) -> Loss:
        if is_too_large(error):
            raise too_large(self._max_pixels) from None
        if is_out_of_memory(error):
            raise out_of_memory() from None
        if self._context.is_hwaccel and not isinstance(error, av.error.InvalidDataError):
            detail = f"the GPU decodes no more: {describe(error)}"
            raise SourceError(detail, retryable=True) from None
        return Loss(1, f"a packet cannot be decoded: {describe(error)}")
