"""What a live sender says of its own clock: packets in -> the wall time that timestamps mean.

An RTSP camera's RTCP sender reports say which time of its wall clock an RTP timestamp was (RFC
3550, 6.4.1). libav counts on from the last report and hands the result out with every packet
(`prft`). Other containers tell when they began, or nothing.
"""

from __future__ import annotations

import struct
from fractions import Fraction

from av.packet import Packet
from av.video.stream import VideoStream

AGREED_US = 1000  # between two packets of one report; their timestamps are rounded to less
_WALL_CLOCK = struct.Struct("=q")  # AVProducerReferenceTime begins with it, microseconds


class SenderClock:
    """Of one connection.

    Attributes:
        reports: it may still tell the time, and tell another one later.
        zero_us: the sender's wall clock at timestamp 0, microseconds since the epoch; None: it has
            not told.
        kind: of the container, as libav calls it.
    """

    def __init__(self, kind: str, created_us: int | None, time_base: Fraction) -> None:
        """
        Args:
            kind: of the container whose packets will be seen, as libav calls it.
            created_us: when that says it was begun; None: it does not.
            time_base: seconds per tick of their timestamps.
        """
        self.kind = kind
        self.reports = kind == "rtsp"
        self.zero_us: int | None = None
        self._time_base = time_base
        self._began_us = None if self.reports else created_us
        self._last_us: int | None = None  # what the packet before said of timestamp 0

    def see(self, packet: Packet[VideoStream]) -> None:
        """Take the next packet."""
        if packet.pts is None:
            return
        at_us = int(packet.pts * self._time_base * 1_000_000)
        if self._began_us is not None:
            self.zero_us, self._began_us = self._began_us - at_us, None
        if self.reports and packet.has_sidedata("prft"):
            (wall_us,) = _WALL_CLOCK.unpack_from(packet.get_sidedata("prft"))
            self._hear(wall_us - at_us)

    def snapshot(self) -> list[int | None]:
        """State as JSON values."""
        return [self.zero_us, self._last_us]

    def restore(self, state: list[int | None]) -> None:
        """Go on where `snapshot` was taken, behind the first packet."""
        (self.zero_us, self._last_us), self._began_us = state, None

    def _hear(self, zero_us: int) -> None:
        """Behind a report libav's parser gives one packet the time of the next, so two must say the
        same."""
        if self._last_us is not None and abs(zero_us - self._last_us) <= AGREED_US:
            self.zero_us = zero_us
        self._last_us = zero_us
