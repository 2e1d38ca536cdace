"""Logging of the command line: plain lines on stderr, secrets masked.

Log records in -> text out. The only place that configures loggers.
"""

from __future__ import annotations

import logging
import sys

from pipeline.secrets import mask

LEVELS = ("debug", "info", "warning", "error")


class _Stderr(logging.Handler):
    """Writes to whatever `sys.stderr` is now: a progress bar puts itself in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr)


class _Masked(logging.Formatter):
    """Tracebacks and arguments hold URLs too, so the finished line is masked, not its parts."""

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))


def set_up_logging(level: str) -> None:
    """Log dinostream's own modules from `level` on, others' from warnings on.

    Args:
        level: one of `LEVELS`.
    """
    handler = _Stderr()
    handler.setFormatter(_Masked("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for package in ("kernels", "operators", "pipeline"):
        logging.getLogger(package).setLevel(level.upper())
