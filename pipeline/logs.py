"""Logging of all our processes: plain lines on stderr, dated, secrets masked.

Log records in -> text out. The only place that configures loggers.
"""

from __future__ import annotations

import logging
import sys

from pipeline.secrets import mask

LEVELS = ("debug", "info", "warning", "error")
LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"
DATE = "%Y-%m-%d %H:%M:%S"  # of this machine's zone


class _Stderr(logging.Handler):
    """Writes to whatever `sys.stderr` is now: a progress bar puts itself in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr)


class _Masked(logging.Formatter):
    """Tracebacks and arguments hold URLs too, so the finished line is masked, not its parts."""

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))


def set_up_logging(level: str) -> None:
    """Log dinostream's own modules from `level` on, others' from warnings on where that is less.

    Args:
        level: one of `LEVELS`.
    """
    handler = _Stderr()
    handler.setFormatter(_Masked(LINE, DATE))
    others = max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()])
    logging.basicConfig(level=others, handlers=[handler], force=True)
    # It logs six lines per attempt to reach a broker that is away; our own error says it once.
    logging.getLogger("kafka").setLevel(others if level == "debug" else logging.CRITICAL)
    for package in ("kernels", "operators", "pipeline"):
        logging.getLogger(package).setLevel(level.upper())
