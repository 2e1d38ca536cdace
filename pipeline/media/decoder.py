"""Packets in -> pictures in output order out, and what was lost on the way."""

from __future__ import annotations

from collections.abc import Iterator

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from pipeline.media.failure import (
    describe,
    is_out_of_memory,
    is_too_large,
    out_of_memory,
    too_large,
)
from pipeline.media.picture import Loss, Picture


class Decoder:
    """One codec, one thread, in software. Outlives the container that its packets come from."""

    def __init__(self, context: VideoCodecContext, *, keyframes: bool, max_pixels: int) -> None:
        """
        Args:
            context: of the stream that is decoded, not used so far.
            keyframes: decode key frames only.
            max_pixels: refuse larger pictures.
        """
        self._context = context
        self._max_pixels = max_pixels
        self.keyframes = keyframes
        context.thread_count = 1
        context.options = {"max_pixels": str(max_pixels)}

    def decode(
        self, packet: Packet[VideoStream], frame_ticks: int | None
    ) -> Iterator[Picture | Loss]:
        """What comes out for one packet; an empty one drains the decoder.

        Args:
            packet: the next in decoding order.
            frame_ticks: a frame's nominal duration, where it has none of its own.

        Raises:
            SourceError: a picture is too large, or the memory is used up.
        """
        if self.keyframes and packet.size and not packet.is_keyframe:
            return
        try:
            frames = self._context.decode(packet)
            if self.keyframes and packet.size:
                frames += self._drain()
        except (av.FFmpegError, MemoryError) as error:
            yield self._undecodable(error)
            return
        for frame in frames:
            if frame.is_corrupt:
                yield Loss(1, "a frame is damaged")
            elif not self.keyframes or frame.key_frame:
                yield self._admit(frame, frame_ticks)

    def _drain(self) -> list[av.VideoFrame]:
        """Each key frame by itself: with `skip_frame`, decoders that reorder give back frames in
        another order (HEVC) or with another frame's pts (packed MPEG-4), and VP9 skips none."""
        frames = self._context.decode(None)
        self._context.flush_buffers()
        return frames

    def _admit(self, frame: av.VideoFrame, frame_ticks: int | None) -> Picture:
        if frame.width * frame.height > self._max_pixels:
            raise too_large(self._max_pixels, f"{frame.width}x{frame.height}")
        return Picture.of(frame, frame_ticks)

    def _undecodable(self, error: Exception) -> Loss:
        if is_too_large(error):
            raise too_large(self._max_pixels) from None
        if is_out_of_memory(error):
            raise out_of_memory() from None
        return Loss(1, f"a packet cannot be decoded: {describe(error)}")
