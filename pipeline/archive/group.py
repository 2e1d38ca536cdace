"""What a commit of one session adds to an archive: frames and breaks in -> bytes, and back."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from operators.frames import FrameInfo

_LENGTH = struct.Struct("<I")  # of the facts, which are JSON; the pictures follow


@dataclass(frozen=True, slots=True)
class Group:
    """Frames of one session and size, in order.

    Attributes:
        before: frames of the session before the first of these.
        infos: one per frame, n of them; none where there is only an end to tell.
        taken: per frame, which sampling rules of its stream took it.
        pictures: uint8 `[n, h, W, 3]`, of `operators.archive.layout`.
        breaks: (row, reason): before that frame the stream broke.
        ended: the session is over with these.
    """

    before: int
    infos: tuple[FrameInfo, ...]
    taken: tuple[int, ...]
    pictures: NDArray[np.uint8]
    breaks: tuple[tuple[int, str], ...] = ()
    ended: bool = False

    @property
    def after(self) -> int:
        """Frames of the session up to the last of these."""
        return self.before + len(self.infos)

    def part(self, first: int, last: int) -> Group:
        """Of its frames those that are the session's from `first` on, below `last`."""
        begin, end = max(0, first - self.before), max(0, last - self.before)
        rows = slice(begin, end)
        return replace(
            self,
            before=self.before + begin,
            infos=self.infos[rows],
            taken=self.taken[rows],
            pictures=self.pictures[rows],
            breaks=tuple((row - begin, why) for row, why in self.breaks if begin <= row < end),
            ended=self.ended and self.after <= last,
        )

    def to_bytes(self) -> bytes:
        """As it lies in a segment."""
        facts = {
            "before": self.before,
            "infos": [info.to_json() for info in self.infos],
            "taken": self.taken,
            "shape": self.pictures.shape,
            "breaks": self.breaks,
            "ended": self.ended,
        }
        text = json.dumps(facts, separators=(",", ":")).encode()
        return b"".join([_LENGTH.pack(len(text)), text, self.pictures.tobytes()])

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """What `to_bytes` gave.

        Raises:
            ValueError: it is something else.
        """
        try:
            (length,) = _LENGTH.unpack_from(data)
            begin = _LENGTH.size + length
            facts = json.loads(data[_LENGTH.size : begin])
            pictures = np.frombuffer(data, np.uint8, offset=begin).reshape(facts["shape"])
            return cls(
                facts["before"],
                tuple(FrameInfo.from_json(one) for one in facts["infos"]),
                tuple(facts["taken"]),
                pictures,
                tuple((row, why) for row, why in facts["breaks"]),
                facts["ended"],
            )
        except (struct.error, KeyError, TypeError) as error:
            raise ValueError(f"no frames of an archive: {error!r}") from error
