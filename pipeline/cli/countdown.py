"""Progress of one long piece of work with the time left: a bar on a terminal, elsewhere lines.

A share from 0 to 1, as often as one likes, in -> text on stderr out.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pipeline.display import PLAIN_PERIOD_S

Tell = Callable[[float | None, str], None]
"""Called with the share that is done (None: nobody knows) and how far that is, in words."""


_SURE_SHARE, _SURE_S = 0.01, 3.0  # what an estimate rests on at least: first items mislead

_Show = Callable[[float | None, str], None]
"""Puts a share and a text before the user."""


@contextmanager
def countdown(what: str, *, clock: Callable[[], float] = time.monotonic) -> Iterator[Tell]:
    """Show the work that the block does.

    Args:
        what: one word for it: `drawing`.
        clock: seconds.
    """
    pace = _Pace(clock)
    with _bar(what) if sys.stderr.isatty() else _lines(clock) as show:

        def tell(share: float | None, so_far: str) -> None:
            left_s = pace.left_s(share)
            left = "" if left_s is None else f", about {left_s:.0f} s left"
            show(share, f"{what}: {so_far}{left}")

        yield tell


class _Pace:
    """How fast one part of the work goes. A share that falls begins the next part."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._first: tuple[float, float] | None = None
        self._last_share = 0.0

    def left_s(self, share: float | None) -> float | None:
        """Seconds that the part has left; None until there is something to tell it from."""
        if share is None:
            self._first = None
            return None
        if self._first is None or share < self._last_share:
            self._first = (self._clock(), share)
        self._last_share = share
        began_s, began_share = self._first
        passed_s, gained = self._clock() - began_s, share - began_share
        if gained < _SURE_SHARE or passed_s < _SURE_S:
            return None
        return passed_s * (1 - share) / gained


@contextmanager
def _lines(clock: Callable[[], float]) -> Iterator[_Show]:
    next_s = clock() + PLAIN_PERIOD_S

    def show(_: float | None, text: str) -> None:
        nonlocal next_s
        if clock() >= next_s:
            next_s = clock() + PLAIN_PERIOD_S
            print(text, file=sys.stderr, flush=True)

    yield show


@contextmanager
def _bar(what: str) -> Iterator[_Show]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (BarColumn(bar_width=24), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"{what}: starting", total=None)

        def show(share: float | None, text: str) -> None:
            total = None if share is None else 1.0
            bar.update(task, description=text, total=total, completed=share or 0.0)

        yield show
