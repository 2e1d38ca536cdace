"""Tells how far it has come with many files, so that nobody takes a long start for a hang."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

log = logging.getLogger(__name__)

TOLD_S = 5.0  # between two lines
T = TypeVar("T")


def counted(
    what: str, items: Iterable[T], clock: Callable[[], float] = time.monotonic
) -> Iterator[T]:
    """The same items; every five seconds a line says what is done with how many files."""
    told_s = clock()
    for number, item in enumerate(items, start=1):
        yield item
        if (now_s := clock()) - told_s >= TOLD_S:
            told_s = now_s
            log.info("%s: %d files so far", what, number)
