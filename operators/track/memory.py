"""All that is remembered of one stream: its tracks, what they have crossed, what is to be told.

As bytes and back, exactly: who goes on from them says the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Self

from operators.frames import FrameInfo
from operators.result import canonical_json
from operators.track.crossings import Counts
from operators.track.track import Track
from operators.track.tracker import Rules, Tracker
from operators.track.visits import CUT, Visit, cut_short

_FORMAT = 1


@dataclass(slots=True)
class Memory:
    """
    Attributes:
        session: whose ids and counts these are.
        tracker: its tracks.
        counts: crossings of every line so far.
        last: the last frame; None where nothing is known yet of what goes on.
        over: visits that ended in it: told with the next frame, or at the end.
    """

    session: str
    tracker: Tracker
    counts: Counts
    last: FrameInfo | None = None
    over: tuple[Visit, ...] = ()

    @classmethod
    def empty(cls, rules: Rules, session: str = "") -> Self:
        """Of a session that begins."""
        return cls(session, Tracker(rules), {})

    def after_break(self, rules: Rules) -> Memory:
        """What outlasts a break within a session: no id comes twice, and counts go on."""
        return Memory(self.session, Tracker(rules, next_id=self.tracker.next_id), self.counts)

    def visits(self) -> tuple[Visit, ...]:
        """All that are over where the stream breaks."""
        open_ = (visit for one in self.tracker.tracks for visit in cut_short(one, CUT))
        return (*self.over, *open_)

    def snapshot(self) -> bytes:
        """As canonical JSON."""
        counts = {
            line: [[label, *both] for label, both in of_line.items()]
            for line, of_line in self.counts.items()
        }
        return canonical_json(
            {
                "format": _FORMAT,
                "session": self.session,
                "next_id": self.tracker.next_id,
                "tracks": [one.to_json() for one in self.tracker.tracks],
                "counts": counts,
                "last": self.last and self.last.to_json(),
                "over": [one.to_json() for one in self.over],
            }
        )

    @classmethod
    def restored(cls, state: bytes, rules: Rules) -> Self:
        """What `snapshot` gave.

        Raises:
            ValueError: it is of another format, or damaged.
        """
        try:
            said = json.loads(state)
            if said["format"] != _FORMAT:
                raise ValueError(f"format {said['format']!r}")
            tracks = [Track.from_json(one) for one in said["tracks"]]
            counts = {
                line: {label: (came_in, went_out) for label, came_in, went_out in of_line}
                for line, of_line in said["counts"].items()
            }
            last = said["last"] and FrameInfo.from_json(said["last"])
            over = tuple(Visit.from_json(one) for one in said["over"])
            tracker = Tracker(rules, tracks, int(said["next_id"]))
            return cls(said["session"], tracker, counts, last, over)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"track: not a state of format {_FORMAT} ({error!r})") from error
