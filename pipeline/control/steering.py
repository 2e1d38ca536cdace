"""One thread beside a live job: carries out what is wanted, and writes down how streams fare."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from pipeline.configuration.config import Config, StreamConfig
from pipeline.control.board import Board
from pipeline.control.config_file import ConfigFile
from pipeline.control.fared import fared
from pipeline.control.reconciler import Reconciler, Steered
from pipeline.control.wanted import Wanted
from pipeline.engine.tally import Tally

log = logging.getLogger(__name__)

LOOK_S = 0.2


class SteeredRun(Steered, Protocol):
    """A run that also says what it has done."""

    @property
    def tally(self) -> Tally: ...


class Steering:
    """Of one job.

    Attributes:
        wanted: what its streams are to be.
        board: how they are.
    """

    def __init__(
        self,
        run: SteeredRun,
        config: Config,
        *,
        file: ConfigFile | None = None,
        fixed: Mapping[str, StreamConfig] | None = None,
        tell: Callable[[str], None] = log.info,
    ) -> None:
        """
        Args:
            run: has begun, or will, with the streams of `config`.
            config: of the job.
            file: where that came from, read again when it changes.
            fixed: see `Wanted`.
            tell: hears what came of that.
        """
        self._run = run
        self._file = file
        self._tell = tell
        self.wanted = Wanted(config, fixed, check=run.check)
        self.board = Board()
        self._reconciler = Reconciler(run, self.wanted)
        self._looking = threading.Lock()
        self._due = threading.Event()
        self._over = False

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Looks again and again until the end of the block."""
        thread = threading.Thread(target=self._look_again, name="steering", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over = True
            self._due.set()
            thread.join()

    @property
    def tally(self) -> Tally:
        """What the run has done."""
        return self._run.tally

    def look(self) -> None:
        """Carry out what is wanted, and write down how it is; from any thread."""
        with self._looking:
            self._reconciler.look()
            wanted, here = self.wanted.streams(), self._run.streams()
            self.board.write(fared(wanted, here, self._run.tally, self._reconciler.refused))

    def read_again(self) -> None:
        """The file, changed or not; from a signal handler too."""
        if self._file:
            self._file.ask()
        self._due.set()

    def _look_again(self) -> None:
        while not self._over:
            try:
                if self._file and self._file.due():
                    self._tell(self._file.apply(self.wanted))
                self.look()
            except Exception:  # the job goes on, and so does whoever looks after it
                log.exception("the streams could not be looked after; tried again")
            self._due.wait(LOOK_S)
            self._due.clear()
