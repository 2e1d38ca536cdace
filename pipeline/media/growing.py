"""A file that somebody is still writing, as libav reads it: at its end it waits for more."""

from __future__ import annotations

import time
from collections.abc import Callable

from pipeline.errors import SourceError
from pipeline.media.retry import Wait

_LOOK_S = 0.2  # until it is looked for more


class GrowingFile:
    """Implements what libav reads from. It cannot be sought: libav would look at its end for what
    is written there when it is finished, and wait.

    Attributes:
        position: bytes that were read.
        over: nothing more will come, and all was read.
    """

    def __init__(
        self,
        path: str,
        is_over: Callable[[float], bool],
        wait: Wait,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            path: of the file.
            is_over: whether nothing more will come, given for how many seconds nothing has.
            wait: how to wait for more.
            clock: seconds, monotonic.

        Raises:
            OSError: it cannot be opened.
        """
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115
        self._is_over = is_over
        self._wait = wait
        self._clock = clock
        self._grown_s = clock()
        self.over = False
        self.position = 0

    def read(self, size: int) -> bytes:
        """What is there, up to `size` bytes; none when nothing more will come.

        Raises:
            SourceError: it is not to be waited for any longer. What libav has read of a frame by
                then is none.
        """
        while not (data := self._file.read(size)) and not self.over:
            self.over = self._is_over(self._clock() - self._grown_s)
            # It may have come between the two looks; libav asks again after the end.
            if not self.over and not self._wait(_LOOK_S):
                raise SourceError("stopped while it grew", retryable=True)
        self._grown_s = self._clock()
        self.position += len(data)
        return data

    def close(self) -> None:
        """Let go of it."""
        self._file.close()
