"""What a commit of one session adds to an archive: frames and breaks in -> bytes, and back."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from operators.frames import FrameInfo
from pipeline.archive.packing import Order, packed, unpacked

_LENGTH = struct.Struct("<I")  # of the facts, which are JSON; the pictures follow


@dataclass(frozen=True, slots=True)
class Group:
    """Frames of one session and size, in order.

    Attributes:
        before: frames of the session before the first of these.
        infos: one per frame, n of them; none where there is only an end to tell.
        taken: per frame, which sampling rules of its stream took it.
        pictures: uint8 `[m, h, W, 3]`, of `operators.archive.layout`; of those m frames that were
            computed.
        breaks: (row, reason): before that frame the stream broke.
        ended: the session is over with these.
        repeats: per frame the position of the computed one that it shows again, which has its
            picture; "" of a computed frame. (): all were computed.
    """

    before: int
    infos: tuple[FrameInfo, ...]
    taken: tuple[int, ...]
    pictures: NDArray[np.uint8]
    breaks: tuple[tuple[int, str], ...] = ()
    ended: bool = False
    repeats: tuple[str, ...] = ()

    @property
    def after(self) -> int:
        """Frames of the session up to the last of these."""
        return self.before + len(self.infos)

    def repeated(self, row: int) -> str:
        """Which frame one shows again; "": it was computed."""
        return self.repeats[row] if self.repeats else ""

    def picture(self, row: int) -> NDArray[np.uint8]:
        """Of a frame that was computed, `[h, W, 3]`."""
        found: NDArray[np.uint8] = self.pictures[self._computed(row)]
        return found

    def part(self, first: int, last: int) -> Group:
        """Of its frames those that are the session's from `first` on, below `last`."""
        begin, end = max(0, first - self.before), max(0, last - self.before)
        rows = slice(begin, end)
        return replace(
            self,
            before=self.before + begin,
            infos=self.infos[rows],
            taken=self.taken[rows],
            pictures=self.pictures[self._computed(begin) : self._computed(end)],
            breaks=tuple((row - begin, why) for row, why in self.breaks if begin <= row < end),
            ended=self.ended and self.after <= last,
            repeats=self.repeats[rows],
        )

    def to_bytes(self, order: Order) -> bytes:
        """As it lies in a segment. `order`: of its pictures."""
        facts = {
            "before": self.before,
            "infos": [info.to_json() for info in self.infos],
            "taken": self.taken,
            "shape": self.pictures.shape,
            "breaks": self.breaks,
            "ended": self.ended,
            "order": order,
        }
        facts |= {"repeats": self.repeats} if any(self.repeats) else {}
        text = json.dumps(facts, separators=(",", ":")).encode()
        return b"".join([_LENGTH.pack(len(text)), text, packed(self.pictures, order)])

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """What `to_bytes` gave, that of format 1 too, which packed no pictures.

        Raises:
            ValueError: it is something else.
        """
        try:
            (length,) = _LENGTH.unpack_from(data)
            begin = _LENGTH.size + length
            facts = json.loads(data[_LENGTH.size : begin])
            shape = facts["shape"]
            if "order" in facts:
                pictures = unpacked(data[begin:], shape, Order(*facts["order"]))
            else:
                pictures = np.frombuffer(data, np.uint8, offset=begin).reshape(shape)
            return cls(
                facts["before"],
                tuple(FrameInfo.from_json(one) for one in facts["infos"]),
                tuple(facts["taken"]),
                pictures,
                tuple((row, why) for row, why in facts["breaks"]),
                facts["ended"],
                tuple(facts.get("repeats", ())),
            )
        except (struct.error, KeyError, TypeError, ZeroDivisionError) as error:
            raise ValueError(f"no frames of an archive: {error!r}") from error

    def _computed(self, row: int) -> int:
        """How many of the frames before a row were."""
        return sum(not one for one in self.repeats[:row]) if self.repeats else row
