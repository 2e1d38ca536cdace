"""All that is remembered of one stream: its tracks, and how many have crossed its lines.

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
        last: the last frame; None where there is none since the last break.
    """

    session: str
    tracker: Tracker
    counts: Counts
    last: FrameInfo | None = None

    @classmethod
    def empty(cls, rules: Rules, session: str = "") -> Self:
        """Of a session that begins."""
        return cls(session, Tracker(rules), {})

    def after_break(self, rules: Rules) -> Memory:
        """What outlasts a break within a session: no id comes twice, and counts go on."""
        return Memory(self.session, Tracker(rules, next_id=self.tracker.next_id), self.counts)

    def visits(self) -> list[Visit]:
        """Those that are over where the stream breaks."""
        return [visit for one in self.tracker.tracks for visit in cut_short(one, CUT)]

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
            tracker = Tracker(rules, tracks, int(said["next_id"]))
            return cls(said["session"], tracker, counts, last)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"track: not a state of format {_FORMAT} ({error!r})") from error
