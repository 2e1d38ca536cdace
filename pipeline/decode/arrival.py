"""When a live stream's first frame was taken, from how its first frames come in.

A connection begins with frames that are older than it looks: those that came while it was being
opened, and those that a server kept to send at once. Pure: the clock is a parameter.
"""

from __future__ import annotations

from pipeline.stream.slow_clock import MARGIN_S

LONGEST_US = 2_000_000  # that anybody waits for the answer
IN_TIME = 2  # frames in a row that came no faster than they were taken: the backlog is over


class Arrival:
    """Watches the first frames until they come as fast as they are taken."""

    def __init__(self) -> None:
        self._first_us = 0
        self._least_us: int | None = None  # of arrival minus media time
        self._last: tuple[int, int] = (0, 0)
        self._in_time = 0

    @property
    def anchor_us(self) -> int | None:
        """The first frame's time: the latest with which none so far came before it was taken, and
        a little earlier."""
        return None if self._least_us is None else self._least_us - int(MARGIN_S * 1_000_000)

    def is_late(self, local_us: int) -> bool:
        """Whether the answer has been waited for long enough, though no frame may have come."""
        return self._least_us is not None and local_us - self._first_us >= LONGEST_US

    def see(self, elapsed_us: int, local_us: int) -> bool:
        """Take the next frame; whether enough have come to know.

        Args:
            elapsed_us: media time since the first frame.
            local_us: when it came in.
        """
        if self._least_us is None:
            self._first_us, self._least_us = local_us, local_us - elapsed_us
        else:
            media_us, passed_us = elapsed_us - self._last[0], local_us - self._last[1]
            in_time = media_us > 0 and passed_us * 2 >= media_us
            self._in_time = self._in_time + 1 if in_time else 0
            self._least_us = min(self._least_us, local_us - elapsed_us)
        self._last = (elapsed_us, local_us)
        return self._in_time >= IN_TIME or self.is_late(local_us)
