"""What a job follows while it runs: a live one's file, and whoever speaks to it over HTTP."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from pipeline.configuration.config import Config, StreamConfig
from pipeline.control.config_file import ConfigFile
from pipeline.control.health import Watched
from pipeline.control.steering import SteeredRun, Steering
from pipeline.stream.spec import StreamSpec

if TYPE_CHECKING:
    from pipeline.web.place import Place


class Run(SteeredRun, Watched, Protocol):
    """A run that can be steered and watched."""

    @property
    def specs(self) -> Mapping[str, StreamSpec]: ...


@dataclass(frozen=True, slots=True)
class Steered:
    """
    Attributes:
        file: read again when it changes, or at SIGHUP; None: a replay, whose streams stay what they
            are.
        place: where the HTTP service listens; None: nowhere.
    """

    file: ConfigFile | None
    place: Place | None = None

    @property
    def listens(self) -> bool:
        """Streams may come later."""
        return self.place is not None and self.file is not None

    @contextmanager
    def beside(self, run: Run, config: Config, tell: Callable[[str], None]) -> Iterator[None]:
        """Steer a run until the end of the block.

        Args:
            run: the job, about to begin.
            config: its configuration.
            tell: hears what a person should.

        Raises:
            UsageError: nobody can listen there.
        """
        fixed = None if self.file else _named(run.specs, config)
        steering = Steering(run, config, file=self.file, fixed=fixed, tell=tell)
        with ExitStack() as stack:
            if self.place:
                # Not at the top: a job that nobody speaks to needs no server.
                from pipeline.control.health import Health
                from pipeline.control.service import Service
                from pipeline.control.shown import entrance_of
                from pipeline.view.app import Page
                from pipeline.web.listener import answering, bound

                server = stack.enter_context(bound(self.place))
                place = replace(self.place, port=server.getsockname()[1])  # 0: any that is free
                entrance = entrance_of(run.specs, config, steering.board)
                stack.callback(entrance.close)
                health = Health(run, steering.board)
                service = Service(steering, health, Page(entrance.enter))
                stack.enter_context(answering(service.app(), place, server))
                done = "watched, added and removed" if self.file else "watched"
                tell(f"streams can be {done} at {place.url} (and in a browser)")
            stack.enter_context(steering.at_work())
            if self.file:
                stack.enter_context(_at_hangup(steering.read_again))
            yield


def _named(specs: Mapping[str, StreamSpec], config: Config) -> dict[str, StreamConfig]:
    """Every stream's entry in the configuration, or what it would be."""
    return {
        name: config.streams.get(name) or StreamConfig(url=spec.url) for name, spec in specs.items()
    }


@contextmanager
def _at_hangup(call: Callable[[], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return
    before = signal.signal(signal.SIGHUP, lambda *_: call())
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
