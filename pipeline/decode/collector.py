"""Groups what a decoder yields into the entries of one chunk."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.decode.track import Glimpse, Sample
from pipeline.stream.chunk import (
    CHUNK_FRAMES,
    MANIFEST_FRAMES,
    End,
    Entry,
    Fault,
    Frames,
    Gap,
    Shot,
)

Told = Sample | Gap | Fault | End | Shot
"""What goes into a chunk."""

Item = Told | Glimpse
"""What a reader of a stream gives."""

FIRST_CHUNK_FRAMES = CHUNK_FRAMES // 2


class Collector:
    """A recording's chunk in the making: full at 16 computed frames, after `chunk_ms`, or at the
    end; and where a manifest belongs, which so tells of the same frames in every run.

    The first one is full at 8: the engine waits for it with nothing else to do.

    What comes after its last frame waits for the next chunk, so that a decoder that goes on from
    the chunk's cursor says it once and not twice.
    """

    def __init__(self, chunk_ms: float, clock: Callable[[], float]) -> None:
        """
        Args:
            chunk_ms: counted from the first frame.
            clock: seconds, monotonic.
        """
        self._chunk_s = chunk_ms / 1000
        self._clock = clock
        self._room = FIRST_CHUNK_FRAMES
        self._items: list[Told] = []
        self._whole = 0  # items up to the last frame or the end
        self._frames = 0
        self._since_s = 0.0
        self._manifest = False  # one belongs behind the last frame

    @property
    def full(self) -> bool:
        """Nothing more belongs into this chunk."""
        if not self._whole:
            return False
        ended = isinstance(self._items[-1], End)
        late = self._clock() - self._since_s >= self._chunk_s
        return ended or late or self._manifest or self._frames >= self._room

    def add(self, item: Told) -> None:
        """Put the next item in."""
        if self._items:
            self._items[-1] = _passed(self._items[-1], item)
        self._items.append(item)
        if isinstance(item, Sample | End):
            self._since_s = self._since_s if self._whole else self._clock()
            self._whole = len(self._items)
        if isinstance(item, Sample):
            self._frames += not item.repeats
            self._manifest = item.cursor["sampled"] % MANIFEST_FRAMES == 0

    def take(self) -> tuple[Entry, ...]:
        """The chunk's entries; the next one begins with what came after them."""
        items, self._items = self._items[: self._whole], self._items[self._whole :]
        self._whole = self._frames = 0
        self._manifest = False
        self._room = CHUNK_FRAMES
        return entries(items)


def entries(items: Iterable[Told]) -> tuple[Entry, ...]:
    """Items in order, runs of samples of one session and size put together, those that are computed
    and those that repeat one frame, losses summed up in front.

    A damaged stretch loses every other frame; a Fault between each two would break the runs.
    """
    out: list[Entry] = []
    run: list[Sample] = []
    losses: list[Fault] = []
    for item in items:
        if isinstance(item, Sample):
            if run and not _go_together(run[-1], item):
                out.append(_frames(run))
                run = []
            run.append(item)
        elif isinstance(item, Fault) and item.kind == "decode":
            losses.append(item)
        else:
            out += [_frames(run)] if run else []
            run = []
            out.append(item)
    out += [_frames(run)] if run else []
    return (*_summed(losses), *out)


def _go_together(one: Sample, next_one: Sample) -> bool:
    same_size = one.pixels.shape == next_one.pixels.shape
    same_session = one.info.session == next_one.info.session
    return same_size and same_session and one.repeats == next_one.repeats


def _passed(one: Told, next_one: Told) -> Told:
    """An item that another follows: of a run that repeats a frame the last one's pixels alone are
    looked at, and 256 of them are a lot of memory."""
    if not (isinstance(one, Sample) and isinstance(next_one, Sample) and one.repeats):
        return one
    if not _go_together(one, next_one):
        return one
    return replace(one, pixels=np.broadcast_to(np.uint8(0), one.pixels.shape))


def checksum(pixels: NDArray[np.uint8]) -> int:
    """What a resumed decoder compares, to be sure that it met the same frame."""
    return zlib.crc32(pixels.data)


def _summed(losses: list[Fault]) -> list[Fault]:
    if not losses:
        return []
    first, others = losses[0], len({fault.detail for fault in losses}) - 1
    detail = f"{first.detail} (and {others} others)" if others else first.detail
    return [Fault(first.stream, first.kind, detail, sum(fault.lost for fault in losses))]


def _frames(run: list[Sample]) -> Frames:
    cursor = {**run[-1].cursor, "checksum": checksum(run[-1].pixels)}
    return Frames(
        tuple(sample.info for sample in run),
        _pixels(run),
        tuple(sample.taken for sample in run),
        cursor,
        run[-1].share,
        run[0].cursor["sampled"] - 1,
        tuple(sample.arrived_s for sample in run if sample.arrived_s is not None),
        run[-1].drift,
        run[-1].ahead_us,
        run[-1].repeats,
    )


def _pixels(run: list[Sample]) -> NDArray[np.uint8]:
    if run[0].repeats:
        return np.empty((0, *run[0].pixels.shape), np.uint8)
    return np.stack([sample.pixels for sample in run])
