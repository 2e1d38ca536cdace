"""Lines of a log that wait for another process to take them, and are logged there."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace

from pipeline.log_line import LogLine

ROOM = 1 << 18  # characters of messages between two takes


class LogQueue(logging.Handler):
    """Keeps lines as long as there is room. When it is full it keeps none until it is emptied: what
    came first tells most, and whoever takes it hears how much more there was."""

    def __init__(self, actor: str = "", *, room: int = ROOM) -> None:
        """
        Args:
            actor: that lines come from which name none.
            room: for so many characters.
        """
        super().__init__()
        self._actor = actor
        self._room = self._left = room
        self._lines: list[LogLine] = []
        self._more = 0

    def emit(self, record: logging.LogRecord) -> None:
        line = LogLine.of(record)
        if self._more or len(line.message) > self._left:
            self._more += 1
            return
        self._left -= len(line.message)
        self._lines.append(replace(line, actor=line.actor or self._actor))

    def take(self) -> tuple[LogLine, ...]:
        """All that are kept; from any thread."""
        self.acquire()
        try:
            lines, more = self._lines, self._more
            self._lines, self._more, self._left = [], 0, self._room
        finally:
            self.release()
        if more:
            told = f"{more} lines more, for which there was no room"
            lines.append(LogLine(time.time(), logging.WARNING, __name__, told, actor=self._actor))
        return tuple(lines)


def relay(lines: Sequence[LogLine], *, stream: str = "") -> None:
    """Log here what was logged elsewhere, as far as such lines are logged here.

    Args:
        lines: in their order.
        stream: that those are about which name none.
    """
    for line in lines:
        logger = logging.getLogger(line.logger)
        if logger.isEnabledFor(line.level):
            logger.handle(replace(line, stream=line.stream or stream).record())
