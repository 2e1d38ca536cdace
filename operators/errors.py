"""The root of every error that dinostream raises on purpose.

    DinostreamError            carries the stream, the stage and whether a retry can help
    └── UsageError             bad usage or configuration; exit code 2, before the first frame
        └── WeightsError       a weights file is absent, broken, refused or not the one asked for

`pipeline.errors` grows the other branches. Must not import anything.
"""

from __future__ import annotations


class DinostreamError(Exception):
    """Something went wrong that the program foresaw; its text says what to do.

    Args:
        message: what, got, allowed, what to do.
        stream: id of the stream that it concerns, None where it concerns no single one.
        stage: where it happened (`decode`, `backbone`, `commit`, ...), None if that says nothing.
        retryable: the same call may succeed later, unchanged.
    """

    def __init__(
        self,
        message: str,
        *,
        stream: str | None = None,
        stage: str | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.stream = stream
        self.stage = stage
        self.retryable = retryable


class UsageError(DinostreamError):
    """The user asked for something that cannot be: exit code 2, nothing was run."""


class WeightsError(UsageError):
    """A weights file cannot be had, read or used; the text names the file and the keys."""
