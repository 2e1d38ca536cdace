"""`Push`: frames in, one at a time -> a stream with an address of its own."""

from __future__ import annotations

import os
import secrets
import threading
from datetime import datetime
from time import monotonic, monotonic_ns, time_ns
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from operators.moment import microseconds, rfc3339
from pipeline.media.raw_video import CONTENT_TYPE, RawVideo
from pipeline.push.reader import Reader
from pipeline.push.server import Server


class Push:
    """A camera whose pictures a program puts in; a job follows its `url`.

    Frames go to the decoder as they are. One that is put while nobody reads waits, and so does
    whoever puts it. Any thread may put; those of other processes make a Push of their own.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        password: str | None = None,
        timeout_s: float | None = 60.0,
    ) -> None:
        """
        Args:
            host: an address of this machine, by which the decoder reaches it. Beyond loopback
                everybody in between sees pictures and password.
            port: 0: one that is free.
            password: of 16 characters or more, where a program that is started anew shall have the
                url that it had; None: a new one.
            timeout_s: longest that a frame waits to be read; None: for ever.

        Raises:
            UsageError: nobody can listen there, or the password is too short.
        """
        self._server = Server(host, port, password or secrets.token_urlsafe(24), CONTENT_TYPE)
        self._timeout_s = timeout_s
        self._process = os.getpid()
        self._began_us = (time_ns() - monotonic_ns()) // 1000  # of the monotonic clock
        self._putting = threading.Lock()
        self._size_hw: tuple[int, int] | None = None
        self._last_us = -1
        self._reader: Reader | None = None  # that the last frame went to
        self._video: RawVideo | None = None  # as it is sent to that one

    @property
    def url(self) -> str:
        """What a stream's entry wants. Holds a password: whoever has it can read the frames."""
        return self._server.url

    def put(self, frame: NDArray[np.uint8], time: datetime | None = None) -> int:
        """Hand a frame over; returns once all of it is on its way to the decoder.

        Args:
            frame: uint8 RGB `[H, W, 3]`; all of one size. May be changed afterwards.
            time: when it was taken, with a zone, later than the one before; None: now.

        Returns:
            The time in microseconds since the epoch, which is the `pts` of its records.

        Raises:
            ValueError: no such frame or time, or the Push is closed.
            TimeoutError: it was not read in time. It never will be, unless it is put again.
            RuntimeError: this is a fork of the process that made the Push.
        """
        if os.getpid() != self._process:
            raise RuntimeError("this Push is of the process that made it; make one here")
        size_hw = _size_hw(frame)
        with self._putting:
            if self._size_hw not in (None, size_hw):
                raise ValueError(
                    f"a frame of {_said(size_hw)} behind one of {_said(self._size_hw)}: all have "
                    "one size; resize it, or make another Push"
                )
            time_us = self._time_us(time)
            self._deliver(frame, time_us)
            self._size_hw, self._last_us = size_hw, time_us
        return time_us

    def close(self) -> None:
        """End the stream; what was put is still read."""
        if os.getpid() == self._process:
            self._server.close()

    def __enter__(self) -> Push:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _deliver(self, frame: NDArray[np.uint8], time_us: int) -> None:
        """Where a reader goes in the middle of a frame, the next one gets all of it."""
        until_s = None if self._timeout_s is None else monotonic() + self._timeout_s
        while True:
            reader = self._server.reader(until_s)
            try:
                reader.send(self._packed(frame, time_us, reader), until_s)
            except ConnectionError:
                self._server.dismiss(reader)
            except BaseException:  # by Ctrl-C too: nothing may follow a part of a frame
                self._server.dismiss(reader)
                raise
            else:
                return

    def _packed(self, frame: NDArray[np.uint8], time_us: int, reader: Reader) -> bytes:
        """What a reader is sent begins with a header, and with it the clock."""
        if self._video is None or reader is not self._reader:
            height, width, _ = frame.shape
            self._reader, self._video = reader, RawVideo((height, width), time_us)
        return self._video.packed(frame, time_us)

    def _time_us(self, time: datetime | None) -> int:
        now_us = self._began_us + monotonic_ns() // 1000
        time_us = now_us if time is None else _aware_us(time)
        if time_us <= self._last_us:
            raise ValueError(
                f"a frame's time is {rfc3339(time_us)}, and {rfc3339(self._last_us)} that of the "
                "one before: want a later one"
            )
        return time_us


def _size_hw(frame: object) -> tuple[int, int]:
    """Of what is a frame."""
    if isinstance(frame, np.ndarray) and frame.dtype == np.uint8 and frame.ndim == 3:
        height, width, channels = frame.shape
        if height and width and channels == 3:
            return height, width
    kind = type(frame).__name__
    got = f"{frame.dtype} {list(frame.shape)}" if isinstance(frame, np.ndarray) else kind
    raise ValueError(f"a frame is a numpy array of uint8, RGB [H, W, 3]; got {got}")


def _aware_us(time: datetime) -> int:
    if not isinstance(time, datetime) or time.tzinfo is None:
        raise ValueError(
            f"a frame's time is a datetime with a zone, such as datetime.now(UTC); got {time!r}"
        )
    time_us = microseconds(time)
    assert time_us is not None
    if time_us < 0:
        raise ValueError(f"a frame's time is 1970 or later; got {time.isoformat()}")
    return time_us


def _said(size_hw: tuple[int, int]) -> str:
    height, width = size_hw
    return f"{width}x{height}"
