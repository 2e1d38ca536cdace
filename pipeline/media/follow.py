"""Which packets of a container are the video's: a transport stream may go on under another PID.

libav makes a new stream of the new PID, and nothing says that it continues the old one. Of several
videos side by side, one is followed; a new one is taken up where the old one falls silent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import av
from av.packet import Packet
from av.video.stream import VideoStream

from pipeline.media.arrivals import Arrivals
from pipeline.media.container import Opened
from pipeline.media.picture import Loss

SILENCE_S = 5  # of the new video without the old one
LATE = 2  # packets of the old one may still come: one waits in libav's parser, one in its demuxer
SAME_CLOCK_S = (-1, 10)  # from the old video's end to the new one's beginning


@dataclass(frozen=True, slots=True)
class Turn:
    """What follows is of another stream.

    Attributes:
        splices: its timestamps are of another clock.
    """

    stream: VideoStream
    splices: bool


Packets = Iterator["Packet[VideoStream] | Turn | Loss | None"]


def followed(opened: Opened) -> Packets:
    """The video's packets, an empty one at the end. Live, None for each of something else: sound
    may go on where the picture has frozen."""
    if opened.container.format.name == "mpegts":
        return _Follower(opened).packets()
    if opened.finite:
        return iter(opened.container.demux(opened.stream))
    return _among_others(opened)


def stamped(packets: Packets, opened: Opened) -> Packets:
    """The same, with times of arrival where there is no clock: libav invents 25 frames/s."""
    return packets if opened.arrivals is None else _stamped(packets, opened.arrivals)


def _stamped(packets: Packets, arrivals: Arrivals) -> Packets:
    for packet in packets:
        if isinstance(packet, Packet) and packet.size:
            packet.pts = packet.dts = arrivals.at_us((packet.pos or 0) + packet.size)
            packet.duration = 0
        yield packet


def _among_others(opened: Opened) -> Packets:
    for packet in opened.container.demux():
        ours = packet.stream.index == opened.stream.index
        yield cast("Packet[VideoStream]", packet) if ours else None


class _Follower:
    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._stream = opened.stream
        self._newest: int | None = None  # pts of the stream that is followed
        self._others: set[int] = set()  # indices of streams beside the one that is followed
        self._left: set[int] = set()  # indices of streams that were followed
        self._waiting: list[Packet[VideoStream]] = []  # of streams that may follow
        self._since = 0  # packets of ours since the first of them

    def packets(self) -> Packets:
        """See `followed`."""
        try:
            for each in self._opened.container.demux():
                if not isinstance(each.stream, VideoStream):
                    if not self._opened.finite:
                        yield None
                    continue
                packet = cast("Packet[VideoStream]", each)
                if packet.size:
                    yield from self._take(packet)
                    continue
                yield from self._finish()
                if packet.stream.index == self._stream.index:
                    yield packet
        except (av.FFmpegError, OSError):
            yield from self._finish()
            raise

    def _take(self, packet: Packet[VideoStream]) -> Packets:
        index = packet.stream.index
        if index == self._stream.index:
            yield from self._ours(packet)
        elif index in self._left:
            yield Loss(1, "a frame came after its video had gone on under another PID")
        elif index not in self._others:
            yield from self._candidate(packet)

    def _ours(self, packet: Packet[VideoStream]) -> Packets:
        """More than the last packets, whose ends are seen at the file's: the others run beside."""
        if self._waiting:
            self._since += 1
            if self._since > LATE:
                self._others |= {waiting.stream.index for waiting in self._waiting}
                self._waiting = []
        if packet.pts is not None:
            self._newest = packet.pts if self._newest is None else max(packet.pts, self._newest)
        yield packet

    def _candidate(self, packet: Packet[VideoStream]) -> Packets:
        if not self._waiting:
            self._since = 0
        self._waiting.append(packet)
        first = next(p for p in self._waiting if p.stream.index == packet.stream.index)
        if first.dts is None or packet.dts is None or not packet.time_base:
            return
        if (packet.dts - first.dts) * packet.time_base >= SILENCE_S:
            yield from self._turn()

    def _finish(self) -> Packets:
        """Nothing more comes: each that waits has its turn."""
        while self._waiting:
            yield from self._turn()

    def _turn(self) -> Packets:
        """Take up the stream that has waited longest; others may go on waiting, for its end."""
        waiting, self._waiting = self._waiting, []
        self._left.add(self._stream.index)
        self._stream = waiting[0].stream
        yield Turn(self._stream, self._is_elsewhere(waiting[0]))
        self._newest = None
        for packet in waiting:
            yield from self._take(packet)

    def _is_elsewhere(self, packet: Packet[VideoStream]) -> bool:
        if packet.pts is None or not packet.time_base or self._newest is None:
            return False
        ahead_s = (packet.pts - self._newest) * packet.time_base
        return not SAME_CLOCK_S[0] <= ahead_s <= SAME_CLOCK_S[1]
