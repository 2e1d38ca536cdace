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


@contextmanager
def countdown(what: str, *, clock: Callable[[], float] = time.monotonic) -> Iterator[Tell]:
    """Show the work that the block does.

    Args:
        what: one word for it: `drawing`.
        clock: seconds.
    """
    began_s = clock()

    def text(share: float | None, so_far: str) -> str:
        passed_s = clock() - began_s
        left = f", about {passed_s / share - passed_s:.0f} s left" if share else ""
        return f"{what}: {so_far}{left}"

    show = _bar if sys.stderr.isatty() else _lines
    with show(text, clock) as tell:
        yield tell


@contextmanager
def _lines(text: Callable[[float | None, str], str], clock: Callable[[], float]) -> Iterator[Tell]:
    next_s = clock() + PLAIN_PERIOD_S

    def tell(share: float | None, so_far: str) -> None:
        nonlocal next_s
        if clock() >= next_s:
            next_s = clock() + PLAIN_PERIOD_S
            print(text(share, so_far), file=sys.stderr, flush=True)

    yield tell


@contextmanager
def _bar(text: Callable[[float | None, str], str], clock: Callable[[], float]) -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (BarColumn(bar_width=24), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text(None, "starting"), total=None)

        def tell(share: float | None, so_far: str) -> None:
            total = None if share is None else 1.0
            bar.update(task, description=text(share, so_far), total=total, completed=share or 0.0)

        yield tell
