"""The file that a live job was started with: read again when it has changed, or when asked to.

What changed in it is carried over to the job's streams; those that came over HTTP stay.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from operators.errors import DinostreamError
from pipeline.configuration.config import Config
from pipeline.control.wanted import Wanted


class ConfigFile:
    """Belongs to one thread, but for `ask`."""

    def __init__(self, path: Path, config: Config, read: Callable[[], Config]) -> None:
        """
        Args:
            path: where it is.
            config: what was made of it.
            read: makes that anew, with all that the command line added.
        """
        self._path = path
        self._config = config
        self._read = read
        self._stamp = self._stamped()
        self._asked = False

    def ask(self) -> None:
        """Have it read again whether it has changed or not."""
        self._asked = True

    def due(self) -> bool:
        """It has changed since the last look, or somebody asked. One that is being replaced and not
        there for a moment has not changed yet."""
        before, self._stamp = self._stamp, self._stamped() or self._stamp
        asked, self._asked = self._asked, False
        return asked or self._stamp != before

    def apply(self, wanted: Wanted) -> str:
        """Have the streams that it names now; what was done, or why not, in one line."""
        try:
            config = self._read()
            before = self._config.streams
            streams = {
                name: one
                for name, one in wanted.config.streams.items()
                if name not in before or name in config.streams
            }
            streams |= {
                name: one for name, one in config.streams.items() if before.get(name) != one
            }
            touched = wanted.replace(config.model_copy(update={"streams": streams}))
        except DinostreamError as error:
            return f"{self._path} was read again and nothing is changed: {error}"
        self._config = config
        return f"{self._path} was read again: {', '.join(touched) or 'no stream'} changed"

    def _stamped(self) -> tuple[int, int, int] | None:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino
