"""From windows to episodes: when something begins, how strong it gets, when it is over.

Scores of one stream's windows in, in order -> finished episodes out. With hysteresis: a label
begins where it leads and reaches its threshold, and lasts until its score falls well below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from operators.frames import FrameInfo

BACKGROUND = "background"  # nothing in particular: never an episode


@dataclass(frozen=True, slots=True)
class Episode:
    """A span of windows with one label.

    Attributes:
        label: class id.
        start: first frame of its first window.
        end: last frame of its last window.
        peak: its highest score.
        peak_at: last frame of the window with that score.
        windows: how many it has.
    """

    label: int
    start: FrameInfo
    end: FrameInfo
    peak: float
    peak_at: FrameInfo
    windows: int = 1

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "label": self.label,
            "start": self.start.to_json(),
            "end": self.end.to_json(),
            "peak": self.peak,
            "peak_at": self.peak_at.to_json(),
            "windows": self.windows,
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Episode:
        """What `to_json` gave."""
        frames = {name: FrameInfo.from_json(said[name]) for name in ("start", "end", "peak_at")}
        return cls(**{**said, **frames})


@dataclass(frozen=True, slots=True)
class Hysteresis:
    """When an episode begins and ends.

    Attributes:
        enter: least score per class to begin; None: the class has no episodes.
        leave: share of `enter` below which it ends, 0 to 1.
    """

    enter: tuple[float | None, ...]
    leave: float

    def __post_init__(self) -> None:
        if not 0 <= self.leave <= 1:
            raise ValueError(f"leave must be from 0 to 1, got {self.leave}")

    def begins(self, scores: Sequence[float]) -> int | None:
        """The leading class among those that reach their thresholds."""
        reached = [
            (score, -label)
            for label, (score, enter) in enumerate(zip(scores, self.enter, strict=True))
            if enter is not None and score >= enter
        ]
        return -max(reached)[1] if reached else None

    def lasts(self, label: int, scores: Sequence[float]) -> bool:
        """Whether an episode goes on in a window with these scores."""
        enter = self.enter[label]
        return enter is not None and scores[label] >= self.leave * enter


class Episodes:
    """The episode that one stream is in, if any: at most one at a time."""

    def __init__(self, rule: Hysteresis, current: Episode | None = None) -> None:
        self._rule = rule
        self._current = current

    def push(self, span: tuple[FrameInfo, FrameInfo], scores: Sequence[float]) -> Episode | None:
        """Take the next window.

        Args:
            span: its first and last frame.
            scores: one per class.

        Returns:
            The episode that was over before this window, if one was.
        """
        current, begins = self._current, self._rule.begins(scores)
        goes_on = current is not None and self._rule.lasts(current.label, scores)
        if current and goes_on and begins in (None, current.label):
            self._current = _longer(current, span[1], scores[current.label])
            return None
        start, end = span
        self._current = None if begins is None else Episode(begins, start, end, scores[begins], end)
        return current

    def flush(self) -> Episode | None:
        """The stream ends or breaks: the episode that was going on, if one was."""
        current, self._current = self._current, None
        return current

    def to_json(self) -> dict[str, Any] | None:
        """The memory as JSON values."""
        return self._current.to_json() if self._current else None


def _longer(episode: Episode, end: FrameInfo, score: float) -> Episode:
    peaks = score > episode.peak
    return replace(
        episode,
        end=end,
        peak=score if peaks else episode.peak,
        peak_at=end if peaks else episode.peak_at,
        windows=episode.windows + 1,
    )
