"""One line of a log, as it goes from process to process and to a person or a machine. Pure."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from pipeline.secrets import mask

_WHOLE = logging.Formatter()  # the message, and the calls that led to an error


@dataclass(frozen=True, slots=True)
class LogLine:
    """
    Attributes:
        time_s: seconds since the epoch, by the clock of whoever logged it.
        level: number of its level, as `logging` has them.
        logger: name.
        message: secrets masked; behind it the traceback, where there is one.
        stream: that it is about; empty where it is about none, or many.
        actor: of a Ray cluster, that it comes from; empty where it comes from none.
    """

    time_s: float
    level: int
    logger: str
    message: str
    stream: str = ""
    actor: str = ""

    @classmethod
    def of(cls, record: logging.LogRecord) -> LogLine:
        """What a record says; `extra` may have given it a `stream` and an `actor`."""
        return cls(
            record.created,
            record.levelno,
            record.name,
            # Tracebacks and arguments hold URLs too, so the finished text is masked.
            mask(_WHOLE.format(record)),
            getattr(record, "stream", ""),
            getattr(record, "actor", ""),
        )

    def record(self) -> logging.LogRecord:
        """The same for the handlers of another process."""
        record = logging.LogRecord(self.logger, self.level, "", 0, self.message, None, None)
        record.created = self.time_s
        record.stream, record.actor = self.stream, self.actor
        return record
