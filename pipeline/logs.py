"""Logging of all our processes: dated lines or JSON on stderr, secrets masked.

Log records in -> text out. The only place that configures loggers.
"""

from __future__ import annotations

import json
import logging
import os
import sys

from operators.moment import rfc3339
from pipeline.log_line import LogLine
from pipeline.log_queue import LogQueue
from pipeline.secrets import remember_environment

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("text", "json")
DATE = "%Y-%m-%d %H:%M:%S"  # of this machine's zone


class Text(logging.Formatter):
    """For people. Who is no actor is not named, and of streams the message speaks."""

    def format(self, record: logging.LogRecord) -> str:
        line = LogLine.of(record)
        who = f"{line.logger} ({line.actor})" if line.actor else line.logger
        return f"{self.formatTime(record, DATE)} {record.levelname} {who}: {line.message}"


class Json(logging.Formatter):
    """For machines: one object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = LogLine.of(record)
        values = {
            "time": rfc3339(round(line.time_s * 1e6)),
            "level": record.levelname.lower(),
            "logger": line.logger,
            "message": line.message,
        }
        values |= {"stream": line.stream} if line.stream else {}
        values |= {"actor": line.actor} if line.actor else {}
        return json.dumps(values)


class _Stderr(logging.Handler):
    """Writes to whatever `sys.stderr` is now: a progress bar puts itself in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr)


def set_up_logging(level: str, *, as_json: bool = False) -> None:
    """Log dinostream's own modules from `level` on, others' from warnings on where that is less.

    Args:
        level: one of `LEVELS`.
        as_json: lines are JSON objects.
    """
    remember_environment(os.environ)  # what every process of ours may meet, before it says a word
    handler = _Stderr()
    handler.setFormatter(Json() if as_json else Text())
    others = max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()])
    logging.basicConfig(level=others, handlers=[handler], force=True)
    logging.captureWarnings(as_json)  # which Python would write as text
    # It logs six lines per attempt to reach a broker that is away; our own error says it once.
    logging.getLogger("kafka").setLevel(others if level == "debug" else logging.CRITICAL)
    for package in ("kernels", "operators", "pipeline"):
        logging.getLogger(package).setLevel(level.upper())


def set_up_kept_logging(level: str, actor: str = "") -> LogQueue:
    """The same, and what is logged is kept as well, for the process that this one works for.

    Args:
        level: one of `LEVELS`.
        actor: what this process is on a Ray cluster.
    """
    set_up_logging(level)
    queue = LogQueue(actor)
    logging.getLogger().addHandler(queue)
    return queue


def is_json() -> bool:
    """Whether lines on stderr are JSON objects, so that whoever reads them wants no others."""
    handlers = logging.getLogger().handlers
    return any(isinstance(handler.formatter, Json) for handler in handlers)


def level_in_use() -> str:
    """What our own modules log from; one of `LEVELS` where `set_up_logging` was called."""
    return logging.getLevelName(logging.getLogger("pipeline").getEffectiveLevel()).lower()
