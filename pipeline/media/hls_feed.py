"""Which segments of an HLS playlist come next: all of a recording, the newest of a live one.

A live playlist is loaded again about as often as it grows. Knows nothing of bytes and pictures;
clock and waiting are parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from pipeline.errors import SourceError
from pipeline.media.hls_playlist import Playlist, Segment
from pipeline.media.picture import Stall
from pipeline.media.retry import Wait

Clock = Callable[[], float]

EDGE_SEGMENTS = 3  # a live playlist is begun so many before its end (RFC 8216, 6.3.3)
STEP_S = 0.5  # longest wait without a sign of life
SHORTEST_S = 0.25  # between two requests, whatever a playlist says of itself
LONGEST_S = 60.0  # likewise
FAR_S = 86_400.0  # footage that nobody has seen: numbers so far ahead are another encoder's
STILL_TARGETS = 3  # target durations without a new segment: the playlist stands still


@dataclass(frozen=True, slots=True)
class Expired:
    """Segments that left a live playlist before they were asked for."""

    seconds: float
    detail: str


class Feed:
    """The segments of one media playlist, in order, each once."""

    def __init__(
        self,
        playlist: Playlist,
        load: Callable[[], Playlist],
        *,
        stall_s: float,
        clock: Clock,
        wait: Wait,
    ) -> None:
        """
        Args:
            playlist: as it is now.
            load: loads it again; raises SourceError.
            stall_s: a live playlist that has not grown for so long, and for three target durations,
                stands still; one that could not be loaded for so long is lost.
            clock: seconds, monotonic.
            wait: sleeps so many seconds.
        """
        self._playlist = playlist
        self._load = load
        self.stall_s = stall_s
        self._clock, self._wait = clock, wait
        self._behind: int | None = None  # the segment that an earlier connection ended in
        self._next: int | None = None  # number; None before there are any segments
        self._begin()
        self._opened_s = self._asked_s = self._answered_s = self._grew_s = clock()
        self._told = False  # that it stands still

    @property
    def live(self) -> bool:
        """It may grow."""
        return not self._playlist.ended

    @property
    def left_s(self) -> float:
        """Footage from the next segment to the end of the playlist."""
        return sum(segment.seconds for segment in self._left())

    @property
    def target_s(self) -> float:
        """About how often a live playlist changes."""
        return min(max(self._playlist.target_s, SHORTEST_S), LONGEST_S)

    @property
    def start_us(self) -> int | None:
        """When the next segment was recorded, microseconds since the epoch, where that is said."""
        return next((segment.start_us for segment in self._left()), None)

    def behind_s(self, number: int) -> float:
        """How long before the opening this segment began, at most: the newest one ended up to a
        target duration before the playlist had it. Negative where it began after the opening."""
        listed = [segment for segment in self._playlist.segments if segment.number >= number]
        later_s = self._grew_s - self._opened_s
        return sum(segment.seconds for segment in listed) + self.target_s - later_s

    def go(self, number: int) -> bool:
        """Go on with this segment; whether the playlist has it."""
        has = any(segment.number == number for segment in self._playlist.segments)
        self._next = number if has else self._next
        return has

    def go_behind(self, number: int) -> None:
        """A live one: go on with this segment, of which there may be more, or with what came after
        it; what has left the playlist in between is `Expired`."""
        self._behind = number
        self._begin()

    def before(self, number: int, seconds: float) -> int:
        """The number of a segment that begins at least `seconds` before this one, or the first."""
        for segment in reversed(self._playlist.segments):
            if segment.number < number and seconds > 0:
                number, seconds = segment.number, seconds - segment.seconds
        return number

    def segments(self) -> Iterator[Segment | Expired | Stall | None]:
        """What comes next, until the playlist has ended; None while there is nothing.

        Raises:
            SourceError: a live playlist cannot be had any more, or has begun anew.
        """
        while True:
            for segment in self._left():
                assert self._next is not None
                if segment.number > self._next:
                    yield self._expired(segment.number - self._next)
                self._next = segment.number + 1
                yield segment
            if self._playlist.ended:
                return
            yield from self._grow()

    def _expired(self, count: int) -> Expired:
        mean_s = self._playlist.seconds / len(self._playlist.segments)
        return Expired(count * mean_s, f"{count} segments left the playlist before they were read")

    def _left(self) -> list[Segment]:
        first = self._next
        return [s for s in self._playlist.segments if first is not None and s.number >= first]

    def _begin(self) -> None:
        self._next, behind = self._edge(), self._behind
        if behind is None or self._next is None or self.go(behind):
            return
        first = self._playlist.segments[0].number
        if behind < first and not self._is_far(first - behind):
            self._next = behind + 1

    def _is_far(self, count: int) -> bool:
        return count * self.target_s > FAR_S

    def _edge(self) -> int | None:
        segments = self._playlist.segments
        begin = 0 if self._playlist.ended else -EDGE_SEGMENTS
        return segments[begin:][0].number if segments else None

    def _grow(self) -> Generator[Stall | None, None, None]:
        """Wait until the playlist has something new."""
        pause_s = self.target_s
        while True:
            yield from self._pause(pause_s)
            if self._reload():
                return
            if stall := self._stall():
                yield stall
            pause_s = max(self.target_s / 2, SHORTEST_S)  # RFC 8216, 6.3.4

    def _pause(self, seconds: float) -> Iterator[None]:
        while (left_s := self._asked_s + seconds - self._clock()) > 0:
            self._wait(min(left_s, STEP_S))
            yield None

    def _reload(self) -> bool:
        """Whether it has something new."""
        self._asked_s = self._clock()
        try:
            playlist = self._load()
        except SourceError as error:
            if self._clock() - self._answered_s >= self.stall_s:
                raise SourceError(f"its playlist is gone: {error}", retryable=True) from None
            return False
        self._answered_s = self._clock()
        if not self._is_news(playlist):
            return False
        self._playlist = playlist
        if self._next is None:
            self._begin()
        self._grew_s, self._told = self._answered_s, False
        return True

    def _is_news(self, playlist: Playlist) -> bool:
        if not playlist.segments or self._next is None:
            return bool(playlist.segments) or playlist.ended
        first, newest = playlist.segments[0], playlist.segments[-1]
        if newest.number >= self._next - 1 and not self._is_far(first.number - self._next):
            return newest.number >= self._next or playlist.ended
        known = {(segment.number, segment.body) for segment in self._playlist.segments}
        if (newest.number, newest.body) in known:
            return False  # an older copy, out of some cache
        raise SourceError(f"its playlist begins anew, at segment {first.number}", retryable=True)

    def _stall(self) -> Stall | None:
        still_s = self._clock() - self._grew_s
        limit_s = max(self.stall_s, STILL_TARGETS * self.target_s)
        if self._told or still_s < limit_s:
            return None
        self._told = True
        return Stall(f"its playlist has had no new segment for {still_s:.0f} s")
