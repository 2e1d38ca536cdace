"""The tracks of one stream: which go on, which begin, which are lost, found again and given up.

Detections of frame after frame in -> tracks of each frame out. The rules are told in docs/track.md.
Must not know lines and zones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from operators.track.matching import pairs
from operators.track.sightings import Sightings
from operators.track.track import Moment, Track, first_seen


@dataclass(frozen=True, slots=True)
class Rules:
    """
    Attributes:
        sightings: a track has an id once it was seen in so many frames one after the other.
        lost_s: it is given up when it was not seen for so long, seconds.
    """

    sightings: int = 2
    lost_s: float = 5.0


class Tracker:
    """Of one stream, from one break of it to the next."""

    def __init__(self, rules: Rules, tracks: Sequence[Track] = (), next_id: int = 1) -> None:
        """
        Args:
            rules: when tracks begin and end.
            tracks: that are there, in the order of their beginning.
            next_id: of the next one that has an id.
        """
        self.tracks = tuple(tracks)
        self.next_id = next_id
        self._rules = rules

    def step(self, now: Moment, sightings: Sightings) -> list[Track]:
        """Take the next frame.

        Args:
            now: when it is; event time never goes back.
            sightings: what is detected in it.

        Returns:
            The tracks that were given up now, and have an id.
        """
        here, gone = self._still_there(now)
        expected = [one.motion.after(_seconds(one.last, now)) for one in here]
        found = dict(pairs(here, expected, sightings))
        kept = []
        for row, one in enumerate(here):
            if row in found:
                kept.append(self._named(one.seen(now, expected[row], sightings.of(found[row]))))
            elif one.id:
                kept.append(one)
        taken = set(found.values())
        others = (column for column in range(len(sightings)) if column not in taken)
        self.tracks = (*kept, *self._begun(now, sightings, others))
        return [one for one in gone if one.id]

    def repeat(self, now: Moment, before: Moment) -> list[Track]:
        """Take a frame that shows what the one before did; arguments and answer as of `step`."""
        here, gone = self._still_there(now)
        self.tracks = tuple(
            self._named(one.again(now)) if one.last == before else one for one in here
        )
        return [one for one in gone if one.id]

    def _still_there(self, now: Moment) -> tuple[list[Track], list[Track]]:
        """Tracks that may be seen now, and those that were lost for too long."""
        lost = [_seconds(one.last, now) > self._rules.lost_s for one in self.tracks]
        here = [one for one, gone in zip(self.tracks, lost, strict=True) if not gone]
        return here, [one for one, gone in zip(self.tracks, lost, strict=True) if gone]

    def _begun(self, now: Moment, sightings: Sightings, new: Iterable[int]) -> list[Track]:
        return [self._named(first_seen(now, sightings.of(column))) for column in new]

    def _named(self, track: Track) -> Track:
        """With an id, once it was seen often enough."""
        if track.id or track.sightings < self._rules.sightings:
            return track
        self.next_id += 1
        return replace(track, id=self.next_id - 1)


def _seconds(since: Moment, now: Moment) -> float:
    return (now.time_us - since.time_us) / 1e6
