"""Counts live frames that are dropped, by cause, until they are told as gaps. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pipeline.stream.chunk import CAUSES, Gap


class Dropped:
    """Dropped frames of one stream that no Gap has told of yet."""

    def __init__(self, stream: str, rules: int = 1) -> None:
        """
        Args:
            stream: its id.
            rules: how many sampling rules it has.
        """
        self._stream = stream
        self._rules = rules
        self._frames: Counter[tuple[str, int]] = Counter()  # cause, who took them -> how many

    def add(self, cause: str, taken: Sequence[int]) -> None:
        """Frames are dropped.

        Args:
            cause: one of `CAUSES`.
            taken: per frame, which rules had taken it.
        """
        assert cause in CAUSES
        self._frames.update((cause, mask) for mask in taken)

    def __bool__(self) -> bool:
        return bool(self._frames)

    def take(self) -> list[Gap]:
        """One Gap per cause; they are told with it."""
        gaps = [
            self._gap(cause) for cause in CAUSES if any(one == cause for one, _ in self._frames)
        ]
        self._frames.clear()
        return gaps

    def _gap(self, cause: str) -> Gap:
        masks = {mask: frames for (one, mask), frames in self._frames.items() if one == cause}
        by_rule = tuple(
            sum(frames for mask, frames in masks.items() if mask >> rule & 1)
            for rule in range(self._rules)
        )
        total = sum(masks.values())
        return Gap(self._stream, "dropped", total, by_rule if self._rules > 1 else (), cause)


class Untold:
    """Drops of which no event tells yet: an engine that is too slow for a camera drops many times
    between two frames.

    Attributes:
        total: cause -> frames, told or not.
    """

    def __init__(self) -> None:
        self.total: Counter[str] = Counter()
        self._frames: Counter[str] = Counter()

    def add(self, gap: Gap) -> str:
        """Count a gap's; its cause."""
        cause = gap.cause or CAUSES[0]
        self.total[cause] += gap.dropped
        self._frames[cause] += gap.dropped
        return cause

    def take(self, stream: str) -> list[Gap]:
        """One Gap per cause; they are told with it."""
        if not self._frames:
            return []
        frames, self._frames = self._frames, Counter()
        return [Gap(stream, "dropped", count, cause=cause) for cause, count in frames.items()]
