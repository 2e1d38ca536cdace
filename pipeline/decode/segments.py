"""The files that a recorder writes into a folder, one after the other; or one file alone."""

from __future__ import annotations

import os
import time
from bisect import bisect_right
from collections.abc import Callable
from contextlib import suppress

from pipeline.media.filename import as_sorted, is_system, is_video

SETTLED_S = 2.0  # a folder's date may be as coarse: what came right behind a look may not change it


class Segments:
    """Of one place, by their paths below it, in the order in which a person would sort them.

    There may be a month of them, and they are looked at every second: folders are read again only
    where their dates have changed.

    Attributes:
        single: it is one file.
    """

    def __init__(self, place: str, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            place: path of a folder, or of a file.
            clock: seconds, monotonic.
        """
        self._place = place
        self._clock = clock
        self.single = not os.path.isdir(place)
        self._dates: dict[str, int] = {}  # of the folders, as they were
        self._changed_s = self._walked_s = 0.0
        self._names: list[str] | None = None
        self._keys: list[list[str | int]] = []
        self._missed: list[str] = []

    def path(self, name: str) -> str:
        """Where a file lies."""
        return self._place if self.single else os.path.join(self._place, name)

    def size(self, name: str) -> int:
        """Bytes that are there; 0 where it has gone."""
        try:
            return os.path.getsize(self.path(name))
        except OSError:
            return 0

    def lead_s(self, name: str) -> float:
        """How much later the file behind this one was written, by the clock of whoever keeps them;
        0 where there is none, or one of them has gone."""
        if (later := self.behind(name)) is None:
            return 0.0
        try:
            return os.stat(self.path(later)).st_mtime - os.stat(self.path(name)).st_mtime
        except OSError:
            return 0.0

    def behind(self, name: str) -> str | None:
        """The next file that is there behind `name`, "": the first; None: there is none yet."""
        names = self._look(name)
        place = bisect_right(self._keys, as_sorted(name)) if name else 0
        return names[place] if place < len(names) else None

    def take_missed(self) -> list[str]:
        """What will not be read, as it turned out since the last time, a line for each file: it
        appeared in front of what was read by then, or went before it was its turn."""
        missed, self._missed = self._missed, []
        return missed

    def _look(self, reached: str) -> list[str]:
        if self.single:
            names = [os.path.basename(self._place)] if os.path.exists(self._place) else []
        elif self._names is not None and self._is_as_it_was():
            return self._names
        else:
            names = sorted(self._walked(), key=as_sorted)
        if self._names is not None:
            self._compare(self._names, names, as_sorted(reached))
        self._names, self._keys = names, [as_sorted(one) for one in names]
        return names

    def _compare(self, before: list[str], now: list[str], here: list[str | int]) -> None:
        for name in sorted(set(now) - set(before), key=as_sorted):
            if as_sorted(name) < here:
                self._missed.append(f"{name} came after what lies behind it")
        for name in sorted(set(before) - set(now), key=as_sorted):
            if as_sorted(name) > here:
                self._missed.append(f"{name} went before it was read")

    def _is_as_it_was(self) -> bool:
        try:
            dates = {folder: os.stat(folder).st_mtime_ns for folder in self._dates}
        except OSError:
            return False
        return dates == self._dates and self._walked_s - self._changed_s > SETTLED_S

    def _walked(self) -> list[str]:
        found, before = [], self._dates
        self._dates = {}
        for here, below, names in os.walk(self._place):
            with suppress(OSError):  # it has gone meanwhile
                self._dates[here] = os.stat(here).st_mtime_ns
            below[:] = [folder for folder in below if not is_system(folder)]
            inside = os.path.relpath(here, self._place)
            found += [
                os.path.normpath(os.path.join(inside, name))
                for name in names
                if is_video(name) and not name.startswith(".")
            ]
        self._walked_s = self._clock()
        if self._dates != before:
            self._changed_s = self._walked_s
        return found
