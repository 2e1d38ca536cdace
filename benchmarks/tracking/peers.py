"""Trackers that are held beside ours: ByteTrack and OC-SORT of the `trackers` package (Apache-2.0).

Detections of frame after frame in -> ids of those that are tracked out. Each is told the rate of
the frames, and keeps a lost track for as long as ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from operators.track.sightings import Sightings
from operators.track.track import Moment
from operators.track.tracker import Rules, Tracker

Step = Callable[[Moment, Sightings], tuple[np.ndarray, np.ndarray]]
"""A frame and its detections -> ids `[n]` and boxes `[n, 4]` of what is tracked and seen in it."""


@dataclass(frozen=True, slots=True)
class Peer:
    """
    Attributes:
        name: as its package calls it.
        settings: of its own; all others are its package's defaults.
    """

    name: str
    settings: Mapping[str, float]

    def start(self, fps: float, rules: Rules) -> Step:
        """A tracker of one stream."""
        import supervision
        import trackers

        kind = {"ByteTrack": trackers.ByteTrackTracker, "OC-SORT": trackers.OCSORTTracker}
        own = kind[self.name](
            frame_rate=fps, lost_track_buffer=round(30 * rules.lost_s), **self.settings
        )

        def step(now: Moment, sightings: Sightings) -> tuple[np.ndarray, np.ndarray]:
            told = own.update(
                supervision.Detections(
                    xyxy=sightings.boxes,
                    confidence=sightings.scores,
                    class_id=sightings.labels.astype(int),
                )
            )
            tracked = told.tracker_id >= 0
            return told.tracker_id[tracked], told.xyxy[tracked].astype(np.float64)

        return step


def ours(rules: Rules) -> Step:
    """Our own tracker of one stream."""
    tracker = Tracker(rules)

    def step(now: Moment, sightings: Sightings) -> tuple[np.ndarray, np.ndarray]:
        tracker.step(now, sightings)
        seen = [one for one in tracker.tracks if one.id and one.last == now]
        ids = np.array([one.id for one in seen], dtype=np.int64)
        return ids, np.array([one.box for one in seen]).reshape(-1, 4)

    return step
