"""A run whose streams come and go as a test says."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from operators.errors import UsageError
from pipeline.configuration.resolve import resolve
from pipeline.engine.tally import Outcome, Tally
from pipeline.stream.spec import StreamSpec


class ScriptedRun:
    """Takes streams in at once; those that are to leave do so when the test says."""

    def __init__(self, *names: str) -> None:
        self.here = set(names)
        self.leaving: list[str] = []
        self.added: list[StreamSpec] = []
        self.tally = Tally()
        self.turned_s: float | None = None
        self.closed = False
        self.headless: set[str] = set()

    def streams(self) -> set[str]:
        return set(self.here)

    def check(self, spec: StreamSpec) -> None:
        if not spec.rules.keys() - self.headless:
            raise UsageError(f"streams.{spec.stream}.operators: none runs without a head")

    def add(self, specs: Sequence[StreamSpec]) -> None:
        if self.closed:
            raise UsageError("the run is about to end and takes no more streams")
        for spec in specs:
            assert spec.stream not in self.here
            self.here.add(spec.stream)
            self.added.append(spec)
            self.tally.forget(spec.stream)

    def remove(self, stream: str) -> None:
        assert stream in self.here
        self.leaving.append(stream)

    def let_go(self) -> None:
        for name in self.leaving:
            self.end(name, "stopped")
        self.leaving.clear()

    def end(self, name: str, status: str, detail: str = "") -> None:
        self.here.discard(name)
        self.tally.outcomes.append(Outcome(name, status, detail))


@pytest.fixture
def scripted() -> type[ScriptedRun]:
    return ScriptedRun


@pytest.fixture
def config_of():
    """A configuration with these streams: name=URL."""

    def made(**urls: str):
        streams = {name: {"url": url} for name, url in urls.items()}
        values = {"streams": streams, "weights": "random", "runtime": "inline"}
        return resolve(None, values)

    return made
