"""One connection that what is pushed goes to."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time

_IGNORED_BYTES = 4096  # of what a reader has to say, which is nothing


class Reader:
    """Is given bytes by one thread, while another one waits for it to go.

    Attributes:
        frames: that were given to it whole.
    """

    def __init__(self, connection: socket.socket) -> None:
        """`connection`: closed by whoever called `stay`, and not before that returns."""
        self._connection = connection
        self._sending = threading.Lock()
        self._gone = False
        self.frames = 0

    def send(self, data: bytes, until_s: float | None) -> None:
        """Give it all of a frame, however slowly it reads.

        Args:
            data: the frame's bytes.
            until_s: on the monotonic clock; None: for ever.

        Raises:
            TimeoutError: it has not taken them by then. Some may be on their way.
            ConnectionError: it is gone.
        """
        left = memoryview(data)
        with self._sending:
            if self._gone:
                raise ConnectionError
            while left:
                self._wait_for_room(until_s)
                left = left[self._sent(left) :]
        self.frames += 1

    def stay(self) -> None:
        """Wait until it hangs up, or we do."""
        with contextlib.suppress(OSError):
            while self._connection.recv(_IGNORED_BYTES):
                pass
        with self._sending:  # who sends uses the connection, which is closed behind this
            self._gone = True

    def hang_up(self) -> None:
        """Send nothing more; what is on its way still arrives."""
        with contextlib.suppress(OSError):  # it was faster
            self._connection.shutdown(socket.SHUT_RDWR)

    def _sent(self, data: memoryview) -> int:
        """How many bytes of it are on their way."""
        try:
            return self._connection.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise ConnectionError(str(error)) from None

    def _wait_for_room(self, until_s: float | None) -> None:
        poll = select.poll()
        poll.register(self._connection, select.POLLOUT)
        left_ms = None if until_s is None else max(0.0, until_s - time.monotonic()) * 1000
        if not poll.poll(left_ms):
            raise TimeoutError("the decoder has not read the frame in time")
