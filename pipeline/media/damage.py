"""Which pictures a loss has spoilt: those decoded from it on until the next that needs no other.

Packets as they are fed in decoding order, pictures as they come out in output order -> which of
them are damaged. Pure: knows nothing of libav.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

REFRESHED = 1800  # pictures (a minute at 30/s) after which intra refresh has been everywhere
REMEMBERED = 64  # packets whose pictures may still come out
HELD = 8  # pictures that wait for one that is decoded before them and shown after them

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Fed:
    """A packet on its way through the decoder, and what is known of its picture.

    Attributes:
        pts: its picture's.
        recovers_in: reference pictures until all is right if decoding began here; 0 for a key
            frame; None: decoding cannot begin here.
        reference: other pictures may refer to its picture.
        gap: a picture is missing before it.
        suspect: its container misses something in it or behind it; the next packet shows more.
        faulty: what came out is not what was sent.
        counted: it could not be decoded, and somebody has counted it.
        done: its picture came out, or never will.
    """

    pts: int | None
    recovers_in: int | None = None
    reference: bool = True
    gap: bool = False
    suspect: bool = False
    faulty: bool = False
    counted: bool = False
    done: bool = False
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class _Condition:
    """Of the decoder, between two packets.

    Attributes:
        broken: what it refers to is not what was sent.
        heals_in: reference pictures until it is right again; None: nobody knows.
        since: pictures since it broke.
        right_from: what is shown before this time still refers to what is not right.
    """

    broken: bool = False
    heals_in: int | None = None
    since: int = 0
    right_from: int | None = None

    def after(self, fed: Fed) -> tuple[_Condition, bool]:
        """The condition behind one packet, and whether its picture is damaged."""
        if fed.faulty:
            return BROKEN, True
        return (BROKEN if fed.gap else self)._behind(fed)

    def _behind(self, fed: Fed) -> tuple[_Condition, bool]:
        if not self.broken:
            early = self._is_early(fed)
            return (self if early else WHOLE), early
        left = None if self.heals_in is None else self.heals_in - fed.reference
        known = [count for count in (left, fed.recovers_in) if count is not None]
        heals_in = min(known, default=None)
        if heals_in == 0 or self.since >= REFRESHED:
            return _Condition(right_from=fed.pts), False
        return _Condition(True, heals_in, self.since + 1), True

    def _is_early(self, fed: Fed) -> bool:
        return self.right_from is not None and fed.pts is not None and fed.pts < self.right_from


WHOLE, BROKEN = _Condition(), _Condition(broken=True)


class Damage(Generic[T]):
    """Follows one decoder. It begins broken: a stream begins at its first key frame."""

    def __init__(self) -> None:
        self._fed: deque[tuple[_Condition, Fed]] = deque()  # with the condition before each
        self._held: deque[tuple[T, Fed]] = deque()
        self._condition = BROKEN
        self._begun = False  # something has been right
        self._withheld = 0

    def feed(self, fed: Fed) -> None:
        """The next packet goes into the decoder.

        A key frame clears the suspect before it: where files or segments were put together the
        container's counters do not go on, and nothing is missing.
        """
        self._try(innocent=fed.recovers_in == 0)
        self._fed.append((self._condition, fed))
        self._judge(len(self._fed) - 1)
        if len(self._fed) > REMEMBERED:
            self._give_up(self._fed.popleft()[1])

    def fail(self) -> None:
        """The packet just fed cannot be decoded; the caller has counted it."""
        fed = self._fed[-1][1]
        fed.faulty = fed.counted = True
        self._judge(len(self._fed) - 1)

    def come(
        self, picture: T, pts: int | None, *, key: bool, faulty: bool
    ) -> Iterator[tuple[T, bool]]:
        """The next picture comes out.

        Args:
            picture: itself.
            pts: its own.
            key: it needs no other.
            faulty: it is not as it was sent.

        Yields:
            Pictures of which all is known now, in output order, and whether they are damaged.
        """
        index = self._index(pts, key=key)
        if index is None:
            fed = Fed(pts, damaged=faulty or self._condition.broken)
        else:
            fed = self._fed[index][1]
            self._arrive(index, key=key, faulty=faulty)
        self._held.append((picture, fed))
        while self._held and (len(self._held) > HELD or not self._waits(self._held[0][1])):
            yield from self._release()
        while self._fed and self._fed[0][1].done and not self._fed[0][1].suspect:
            self._fed.popleft()

    def drain(self) -> Iterator[tuple[T, bool]]:
        """Nothing more comes out: what was held."""
        self._try(innocent=False)
        while self._held:
            yield from self._release()
        while self._fed:
            self._give_up(self._fed.popleft()[1])

    def withheld(self) -> int:
        """Damaged pictures that the decoder kept to itself, since this was last asked."""
        withheld, self._withheld = self._withheld, 0
        return withheld

    def _arrive(self, index: int, *, key: bool, faulty: bool) -> None:
        fed = self._fed[index][1]
        if key and fed.recovers_in is None:
            fed.recovers_in = 0
        fed.faulty |= faulty
        fed.done = True
        self._judge(index)
        if fed.recovers_in == 0:
            for _, earlier in list(self._fed)[:index]:
                self._give_up(earlier)
        if fed.pts is None:  # which it is is a guess then
            fed.damaged |= any(other.damaged for _, other in self._fed if not other.done)

    def _try(self, *, innocent: bool) -> None:
        """Judge the packet last fed, where it is suspect."""
        if self._fed and self._fed[-1][1].suspect:
            fed = self._fed[-1][1]
            fed.suspect = False
            fed.faulty |= not innocent
            self._judge(len(self._fed) - 1)

    def _judge(self, first: int) -> None:
        """From that packet on, with what is known now."""
        condition = self._fed[first][0]
        for index in range(first, len(self._fed)):
            fed = self._fed[index][1]
            self._fed[index] = (condition, fed)
            condition, fed.damaged = condition.after(fed)
        self._condition = condition

    def _index(self, pts: int | None, *, key: bool) -> int | None:
        """Of the packet that a picture comes from."""
        waiting = [
            index for index, (_, fed) in enumerate(self._fed) if not fed.done and fed.pts == pts
        ]
        if pts is None and key:
            waiting = [i for i in waiting if self._fed[i][1].recovers_in == 0] or waiting
        return waiting[0] if waiting else None

    def _waits(self, fed: Fed) -> bool:
        """Not all is known: one that was decoded before it, which it may refer to, is to come."""
        waits = fed.suspect
        for _, earlier in self._fed:
            if earlier is fed:
                return waits
            if earlier.pts is not None and fed.pts is not None:
                waits |= not earlier.done and earlier.pts > fed.pts
        return False

    def _release(self) -> Iterator[tuple[T, bool]]:
        picture, fed = self._held.popleft()
        self._begun |= not fed.damaged
        if not fed.counted:
            yield picture, fed.damaged

    def _give_up(self, fed: Fed) -> None:
        """Its picture will not come out."""
        self._withheld += self._begun and fed.damaged and not (fed.done or fed.counted)
        fed.done = True
