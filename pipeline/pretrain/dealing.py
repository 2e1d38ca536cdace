"""Which pictures a training step sees: an epoch is dealt to its batches like cards to players.

Each batch gets pictures of as many streams as there are, and of one stream none that lie within
some seconds of each other: neighbours show the same thing, and what spreads features would push
them apart. A function of seed and step alone. Knows nothing of what pictures show.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]

_STARTS = 4  # places that a crowded stream may be thinned from, until enough of it is left


@dataclass(frozen=True, slots=True)
class Stream:
    """Pictures of one stream, in the order of their times.

    Attributes:
        rows: their numbers, int64 `[n]`.
        times_us: event times, int64 `[n]`, ascending; None: they have none, and none is near to
            another one.
    """

    rows: Rows
    times_us: Rows | None


class Dealing:
    """Epochs of batches.

    An epoch has as many batches as pictures fill. What is left over, fewer than one batch has,
    waits for another epoch, which pictures these are being drawn anew. Of a stream with more
    pictures within `apart_us` than an epoch has batches no epoch has room for all: it is thinned,
    from another place on each time.

    Attributes:
        size: of every batch: as asked, or as many pictures as can be together.
        batches: of an epoch.
    """

    def __init__(self, streams: Sequence[Stream], count: int, apart_us: int) -> None:
        """
        Args:
            streams: one picture at least.
            count: pictures that a batch should have.
            apart_us: least time between two pictures of a stream in one batch, microseconds.
        """
        self._streams, self._apart_us = streams, apart_us
        self._crowds = [_crowd(one, apart_us) for one in streams]
        self.size = min(count, self._together(1))
        self.batches = self._most_batches()
        self._epoch = lru_cache(maxsize=4)(self._dealt)

    def draw(self, step: int, seed: int) -> list[int]:
        """Numbers of the pictures of a step."""
        epoch, batch = divmod(step, self.batches)
        dealt: list[int] = self._epoch(seed, epoch)[batch].tolist()
        return dealt

    def _most_batches(self) -> int:
        """The more batches, the fewer pictures are left for each."""
        low, high = 1, max(1, sum(len(one.rows) for one in self._streams) // self.size)
        while low < high:
            middle = (low + high + 1) // 2
            if self._together(middle) >= middle * self.size:
                low = middle
            else:
                high = middle - 1
        return low

    def _together(self, batches: int) -> int:
        """How many pictures so many batches have room for."""
        return sum(len(rows) for rows in self._thinned(batches, None))

    def _thinned(self, batches: int, draw: np.random.Generator | None) -> Iterator[Rows]:
        """Of each stream the places of what can be dealt; from the first on, or from any."""
        for stream, crowd in zip(self._streams, self._crowds, strict=True):
            if crowd <= batches or stream.times_us is None:
                yield np.arange(len(stream.rows))
            else:
                start = 0 if draw is None else int(draw.integers(len(stream.rows)))
                yield thinned(stream.times_us, batches, self._apart_us, start)

    def _dealt(self, seed: int, epoch: int) -> Rows:
        """int64 `[batches, size]`."""
        draw = np.random.Generator(np.random.PCG64([seed, epoch]))
        kept = self._kept(draw)
        surplus = sum(map(len, kept)) - self.batches * self.size
        kept = _without(kept, draw.choice(sum(map(len, kept)), surplus, replace=False))
        dealt = []
        for number in draw.permutation(len(kept)):
            places = kept[number]
            order = self._shuffled(len(places), self._crowds[number], draw)
            dealt.append(self._streams[number].rows[places[order]])
        # One card after the other: row i of what is dealt goes to batch i modulo their number.
        return (
            np.concatenate(dealt).reshape(self.size, self.batches).T[draw.permutation(self.batches)]
        )

    def _kept(self, draw: np.random.Generator) -> list[Rows]:
        """Enough for the epoch."""
        for _ in range(_STARTS):
            kept = list(self._thinned(self.batches, draw))
            if sum(map(len, kept)) >= self.batches * self.size:
                return kept
        return list(self._thinned(self.batches, None))

    def _shuffled(self, count: int, crowd: int, draw: np.random.Generator) -> Rows:
        """An order of a stream's pictures in which those that meet in a batch lie far enough apart.

        These are as many places apart as there are batches. Shuffled within windows of w, a picture
        goes w - 1 places at most, so two of them are still `crowd` places apart in time, or more.
        """
        if crowd <= 1:
            return draw.permutation(count)
        window = (self.batches - min(crowd, self.batches)) // 2 + 1
        windows = (np.arange(count) + draw.integers(window)) // window
        return np.argsort(windows + draw.random(count))


def thinned(times_us: Rows, most: int, apart_us: int, start: int) -> Rows:
    """Places of pictures of which no more than `most` lie within `apart_us`: as many as there can
    be around the first that is taken.

    Args:
        times_us: of pictures, ascending, `[n]`.
        most: pictures, 1 at least.
        apart_us: the time that they lie within, first included, last excluded.
        start: place of that first one.
    """
    kept: list[int] = []
    for place in range(start, len(times_us)):
        if len(kept) < most or times_us[place] - times_us[kept[-most]] >= apart_us:
            kept.append(place)
    kept.reverse()
    for place in range(start - 1, -1, -1):
        if len(kept) < most or times_us[kept[-most]] - times_us[place] >= apart_us:
            kept.append(place)
    return np.array(kept[::-1], np.int64)


def _crowd(stream: Stream, apart_us: int) -> int:
    """The most pictures of a stream that no batch may have two of."""
    if stream.times_us is None or not apart_us:
        return 1
    behind = np.searchsorted(stream.times_us, stream.times_us + apart_us)
    return int((behind - np.arange(len(stream.rows))).max())


def _without(kept: Sequence[Rows], dropped: NDArray[np.int64]) -> list[Rows]:
    """Lists without some of their elements, which are numbered through all of them."""
    left = np.ones(sum(map(len, kept)), bool)
    left[dropped] = False
    ends = np.cumsum([len(one) for one in kept])
    parts = np.split(left, ends[:-1])
    return [one[part] for one, part in zip(kept, parts, strict=True)]
