"""How one file of a chain follows the other: at once, after a hole, or over its end. Pure.

Names are coarse and clocks drift: docs/decisions/footage.md says what is borne.
"""

from __future__ import annotations

from dataclasses import dataclass

JITTER_US = 1_000_000  # that recorders' cuts are off


@dataclass(frozen=True, slots=True)
class Joint:
    """Where a file ends and the next one begins, microseconds since the epoch.

    Attributes:
        ended_us: by the first one's name and its length.
        named_us: by the second one's name.
        reached_us: event time, went it on like this.
        resolution_us: what names do not say.
    """

    ended_us: int
    named_us: int
    reached_us: int
    resolution_us: int

    @property
    def is_hole(self) -> bool:
        """Something was not recorded between them. Names that leave a minute open leave it open for
        each alike; the second that comes and goes is borne."""
        return self.named_us - self.ended_us > self._early_us

    @property
    def is_overlap(self) -> bool:
        """Both have recorded the same time, whatever their names leave open; or all up to here have
        overlapped by so much that time is far ahead of them."""
        over_us = self.ended_us - self.named_us - self.resolution_us
        return max(over_us, self.reached_us - self._latest_us) > JITTER_US

    @property
    def at_us(self) -> int:
        """Event time of the second one's first frame."""
        if self.is_hole:
            return self.named_us
        return min(max(self.reached_us, self.named_us - self._early_us), self._latest_us)

    @property
    def _early_us(self) -> int:
        return JITTER_US + min(self.resolution_us, 1_000_000)

    @property
    def _latest_us(self) -> int:
        return self.named_us + self.resolution_us + JITTER_US
