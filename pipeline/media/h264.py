"""Reads of H.264 pictures what says whether one before them is missing, and where they recover.

libav fills in for a missing reference picture and says nothing. The pictures themselves tell: each
carries the number of reference pictures since the last IDR (`frame_num`, ITU-T H.264, 7.4.3).
Bytes in -> facts out; decodes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_SLICE, _IDR, _SEI, _SPS, _PPS = 1, 5, 6, 7, 8  # nal_unit_type, table 7-1
_WITHOUT_PICTURE = {_SEI, _SPS, _PPS, 9, 10, 11, 12}  # and delimiters, ends, filler
_RECOVERY_POINT = 6  # payloadType, annex D
_HIGH = {
    100,
    110,
    122,
    244,
    44,
    83,
    86,
    118,
    128,
    138,
    139,
    134,
    135,
}  # profiles with chroma format
_SLICE_BYTES = 32  # a slice header's beginning, up to frame_num, is shorter
_MOST = 1000  # more in a row are no pictures but a damaged header


@dataclass(frozen=True, slots=True)
class Place:
    """What one picture says.

    Attributes:
        missing: reference pictures that were sent before it and are not there, at least.
        reference: others may refer to it.
        recovers_in: reference pictures until all is right when decoding starts here; 0 for an IDR
            picture; None: it does not say that one can start here.
    """

    missing: int
    reference: bool
    recovers_in: int | None


@dataclass(frozen=True, slots=True)
class _Sequence:
    """Of a sequence parameter set, what the numbers need."""

    number_bits: int
    planes: bool  # separate colour planes
    gaps_allowed: bool


class PictureNumbers:
    """Follows the numbers of one stream's pictures, in decoding order."""

    def __init__(self, extradata: bytes | None) -> None:
        """`extradata`: the container's `avcC` record, or parameter sets with start codes."""
        self._length_bytes = 0  # before each unit; 0: start codes
        self._sequences: dict[int, _Sequence] = {}
        self._sequence_of: dict[int, int] = {}  # by picture parameter set
        self._last: int | None = None  # number of the last reference picture
        if extradata and extradata[0] == 1 and len(extradata) > 6:
            self._length_bytes = (extradata[4] & 3) + 1
            for unit in _avcc_sets(extradata):
                self._learn(unit)
        elif extradata:
            for unit in _units(extradata, 0):
                self._learn(unit)

    def see(self, packet: bytes) -> Place | None:
        """Take the next picture; None where the packet holds none that can be read."""
        recovers_in = None
        for unit in _units(packet, self._length_bytes):
            kind = unit[0] & 31
            try:
                if kind in (_SLICE, _IDR):
                    return self._place(unit, 0 if kind == _IDR else recovers_in)
                if kind == _SEI:
                    recovers_in = _recovery(unit, recovers_in)
                else:
                    self._learn(unit)
            except (IndexError, KeyError):  # cut short, or of a parameter set that never came
                continue
        return None

    def announces(self, packet: bytes) -> bool:
        """It holds what stands before a picture, and nothing of one: where a connection breaks off
        or packets of it are lost, libav's parser gives that out as if it were a picture."""
        units = list(_units(packet, self._length_bytes))
        return bool(units) and all(unit[0] & 31 in _WITHOUT_PICTURE for unit in units)

    def forget(self) -> None:
        """The next picture does not follow the last one."""
        self._last = None

    def _learn(self, unit: bytes) -> None:
        try:
            if unit[0] & 31 == _SPS:
                number, sequence = _sequence(unit)
                self._sequences[number] = sequence
            elif unit[0] & 31 == _PPS:
                bits = _Bits(unit[1:])
                picture_set = bits.ue()
                self._sequence_of[picture_set] = bits.ue()
        except IndexError:
            return

    def _place(self, unit: bytes, recovers_in: int | None) -> Place:
        bits = _Bits(unit[1:_SLICE_BYTES])
        bits.ue()  # first_mb_in_slice
        bits.ue()  # slice_type
        sequence = self._sequences[self._sequence_of[bits.ue()]]
        bits.u(2 if sequence.planes else 0)
        number = bits.u(sequence.number_bits)
        reference = bool(unit[0] & 0x60)
        missing = 0
        if unit[0] & 31 != _IDR and not sequence.gaps_allowed:
            missing = self._missing(number, 1 << sequence.number_bits)
        if reference:
            self._last = number
        elif missing:
            self._last = number - 1
        return Place(missing, reference, recovers_in)

    def _missing(self, number: int, modulus: int) -> int:
        """How many are missing before it, at least."""
        last = self._last
        if last is None or number in (last, (last + 1) % modulus):
            return 0
        counted = (number - last - 1) % modulus
        if 0 < number < last:
            counted = min(counted, number)  # an IDR picture is missing, which counts from 0 again
        return counted if counted < _MOST else 1


class _Bits:
    """Reads a unit's payload bit by bit. Raises IndexError at its end."""

    def __init__(self, payload: bytes) -> None:
        self._data = payload.replace(b"\0\0\3", b"\0\0")  # emulation prevention
        self._at = 0

    def u(self, count: int) -> int:
        """An unsigned number of so many bits."""
        value = 0
        for _ in range(count):
            byte = self._data[self._at >> 3]
            value = value << 1 | byte >> (7 - (self._at & 7)) & 1
            self._at += 1
        return value

    def ue(self) -> int:
        """An unsigned Exp-Golomb number (9.1)."""
        zeros = 0
        while not self.u(1):
            zeros += 1
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        """A signed one."""
        value = self.ue()
        return (value + 1) // 2 if value & 1 else -(value // 2)


def _units(data: bytes, length_bytes: int) -> Iterator[bytes]:
    """The units of a packet, none of them empty."""
    if length_bytes:
        at = 0
        while at + length_bytes < len(data):
            size = int.from_bytes(data[at : at + length_bytes])
            at += length_bytes
            if size:
                yield data[at : at + size]
            at += size
        return
    start = data.find(b"\0\0\1")
    while start >= 0:
        after = data.find(b"\0\0\1", start + 3)
        if unit := data[start + 3 : after if after >= 0 else len(data)]:
            yield unit
        start = after


def _avcc_sets(record: bytes) -> Iterator[bytes]:
    """Parameter sets of an `avcC` record (ISO/IEC 14496-15, 5.3.3.1)."""
    at, count = 6, record[5] & 31
    for _ in range(2):  # sequence sets, then picture sets
        for _ in range(count):
            size = int.from_bytes(record[at : at + 2])
            if unit := record[at + 2 : at + 2 + size]:
                yield unit
            at += 2 + size
        count = record[at] if at < len(record) else 0
        at += 1


def _sequence(unit: bytes) -> tuple[int, _Sequence]:
    """Number and facts of a sequence parameter set (7.3.2.1.1)."""
    bits = _Bits(unit[1:])
    profile = bits.u(8)
    bits.u(16)
    number = bits.ue()
    planes = False
    if profile in _HIGH:
        chroma = bits.ue()
        planes = chroma == 3 and bool(bits.u(1))
        bits.ue()
        bits.ue()
        bits.u(1)
        if bits.u(1):
            for index in range(12 if chroma == 3 else 8):
                if bits.u(1):
                    _skip_scaling_list(bits, 16 if index < 6 else 64)
    number_bits = bits.ue() + 4
    order = bits.ue()  # pic_order_cnt_type
    if order == 0:
        bits.ue()
    elif order == 1:
        bits.u(1)
        for _ in range(2):
            bits.se()
        for _ in range(bits.ue()):
            bits.se()
    bits.ue()  # max_num_ref_frames
    return number, _Sequence(number_bits, planes, bool(bits.u(1)))


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _recovery(unit: bytes, before: int | None) -> int | None:
    """`recovery_frame_cnt`, where one of the messages is a recovery point."""
    payload = unit.replace(b"\0\0\3", b"\0\0")
    at = 1
    while at + 2 < len(payload):
        kind = size = 0
        while payload[at] == 255:
            kind, at = kind + 255, at + 1
        kind, at = kind + payload[at], at + 1
        while payload[at] == 255:
            size, at = size + 255, at + 1
        size, at = size + payload[at], at + 1
        if kind == _RECOVERY_POINT:
            return _Bits(payload[at : at + size]).ue()
        at += size
    return before
