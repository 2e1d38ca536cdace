"""What a packet brings beside its bytes and changes what becomes of it."""

from __future__ import annotations

from typing import Any

from av.packet import Packet, PacketSideData, packet_sidedata_type_from_literal
from av.video.stream import VideoStream

KINDS = (
    "prft",
    "new_extradata",
    "param_change",
    "palette",
)  # the sender's clock, the codec's set-up


def side_data(packet: Packet[VideoStream]) -> dict[str, bytes]:
    """By libav's names; of most packets nothing."""
    return {
        kind: bytes(packet.get_sidedata(kind))  # type: ignore[arg-type]
        for kind in KINDS
        if packet.has_sidedata(kind)  # type: ignore[arg-type]
    }


def attach(packet: Packet[VideoStream], kind: str, data: bytes) -> None:
    """Give it to a packet, as `side_data` had it."""
    make: Any = PacketSideData  # whose stub does not say how one is made
    made = make(packet_sidedata_type_from_literal(kind), len(data))  # type: ignore[arg-type]
    made.update(data)
    packet.set_sidedata(made)
