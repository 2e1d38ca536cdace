"""Streams and events of a GPU that is not there: they note what waits for what."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
import torch


class CudaJournal:
    """In the place of `torch.cuda`'s."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.current = Stream(self, "compute")
        self.events = 0

    def event(self) -> Event:
        self.events += 1
        return Event(self, f"event {self.events}")

    @contextlib.contextmanager
    def on(self, stream: Stream) -> Iterator[None]:
        before, self.current = self.current, stream
        yield
        self.current = before

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "Stream", lambda device: Stream(self, "copies"))
        monkeypatch.setattr(torch.cuda, "Event", self.event)
        monkeypatch.setattr(torch.cuda, "current_stream", lambda device: self.current)
        monkeypatch.setattr(torch.cuda, "stream", self.on)


class Stream:
    def __init__(self, journal: CudaJournal, name: str) -> None:
        self._journal, self.name = journal, name

    def wait_event(self, event: Event) -> None:
        self._journal.told.append(f"{self.name} waits for {event.name}")


class Event:
    def __init__(self, journal: CudaJournal, name: str) -> None:
        self._journal, self.name = journal, name

    def record(self, stream: Stream) -> None:
        self._journal.told.append(f"{stream.name} records {self.name}")

    def synchronize(self) -> None:
        self._journal.told.append(f"host waits for {self.name}")
