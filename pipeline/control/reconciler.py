"""Brings the streams of a run to what is wanted of them, one look at a time.

Nothing is waited for: a stream that is to be another one is stopped at one look, has committed what
was decoded some looks later, and then the new one is opened. No other stream notices.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from operators.errors import UsageError
from pipeline.configuration.config import Config
from pipeline.configuration.streams import stream_spec
from pipeline.control.wanted import Streams, Wanted, WantedStream
from pipeline.stream.spec import StreamSpec


class Steered(Protocol):
    """A run whose streams come and go. Every call is answered at once, from any thread."""

    def streams(self) -> Collection[str]:
        """Those that are in the run: about to be opened, open, or about to leave."""

    def check(self, spec: StreamSpec) -> None:
        """Raises `UsageError` where it is known that no operator runs on a stream."""

    def add(self, specs: Sequence[StreamSpec]) -> None:
        """Have streams in, or raise `UsageError`: they are asked for again; see
        `pipeline.engine.roster.Roster.add`."""

    def remove(self, stream: str) -> None:
        """Have a stream finish and leave; see `pipeline.engine.roster.Roster.remove`."""


class Reconciler:
    """Belongs to one thread.

    Attributes:
        refused: stream -> why the run did not take it.
    """

    def __init__(self, run: Steered, wanted: Wanted) -> None:
        """The run has begun with all that is wanted now."""
        self._run = run
        self._wanted = wanted
        self._begun: Streams = dict(wanted.streams())
        self._leaving: set[str] = set()
        self.refused: Mapping[str, str] = {}

    def look(self) -> None:
        """Ask of the run what is missing."""
        here, wanted, config = set(self._run.streams()), self._wanted.streams(), self._wanted.config
        for name in self._leaving - here:
            self._begun.pop(name, None)
        self._leaving &= here
        for name in here & self._begun.keys():
            if not _is(self._begun[name], wanted.get(name)) and name not in self._leaving:
                self._leaving.add(name)
                self._remove(name)
        for name in self._begun.keys() - here:
            if name not in wanted or wanted[name].paused:
                del self._begun[name]  # to be begun again where it is wanted again
        refused = {name: why for name, why in self.refused.items() if name in wanted}
        for name, stream in wanted.items():
            if stream.paused or name in here or _is(self._begun.get(name), stream):
                continue
            if why := self._add(name, stream, config):
                refused[name] = why
            else:
                refused.pop(name, None)
        self.refused = refused

    def _add(self, name: str, stream: WantedStream, config: Config) -> str:
        """Why not, if not."""
        try:
            self._run.add([stream_spec(config, name, stream.config, live=True)])
        except UsageError as error:
            return str(error)
        self._begun[name] = stream
        return ""

    def _remove(self, name: str) -> None:
        try:
            self._run.remove(name)
        except UsageError:
            self._leaving.discard(name)  # it has left meanwhile


def _is(begun: WantedStream | None, wanted: WantedStream | None) -> bool:
    """What was begun is what is wanted."""
    return begun is not None and wanted is not None and not wanted.paused and begun == wanted
