"""The root of every error that dinostream raises on purpose.

    DinostreamError            its text says where and what to do, `retryable` whether to try again
    └── UsageError             bad usage or configuration; exit code 2, before the first frame
        └── WeightsError       a weights file is absent, broken, refused or not the one asked for

`pipeline.errors` grows the other branches. Must not import anything.
"""

from __future__ import annotations


class DinostreamError(Exception):
    """Something went wrong that the program foresaw; its text says what to do.

    Args:
        message: what, where, got, allowed, what to do.
        retryable: the same call may succeed later, unchanged.
    """

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


class UsageError(DinostreamError):
    """The user asked for something that cannot be: exit code 2, nothing was run."""


class WeightsError(UsageError):
    """A weights file cannot be had, read or used; the text names the file and the keys."""
