"""Pushes, and readers that take as much of them as a test wants."""

import contextlib
import http.client
import threading
from base64 import b64encode
from http import HTTPStatus
from urllib.parse import urlsplit

import av
import numpy as np
import pytest

from pipeline import Push

PATIENCE_S = 60.0


class Client:
    """Asks as a decoder does."""

    def __init__(self, url, password=None):
        parts = urlsplit(url)
        pair = f"{parts.username}:{parts.password if password is None else password}"
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, PATIENCE_S)
        headers = {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
        self._connection.request("GET", "/", headers=headers)
        self._answer = self._connection.getresponse()
        self.status = self._answer.status

    def read(self, size):
        """As `av.open` and tests want it: fewer than `size` bytes at the end alone."""
        return self._answer.read(size)

    def frames(self):
        """Times and pixels of all that comes."""
        with av.open(self, options={"fpsprobesize": "0"}) as container:
            for frame in container.decode(video=0):
                yield frame.pts, frame.to_ndarray()

    def close(self):
        self._answer.close()
        self._connection.close()


class InBackground(threading.Thread):
    """A call that waits, on a thread of its own."""

    def __init__(self, call):
        super().__init__()
        self._call, self._failure, self._result = call, None, None
        self.start()

    def run(self):
        try:
            self._result = self._call()
        except Exception as failure:
            self._failure = failure

    def result(self):
        self.join(PATIENCE_S)
        assert not self.is_alive(), "waits in vain"
        if self._failure is not None:
            raise self._failure
        return self._result


@pytest.fixture
def background():
    return InBackground


@pytest.fixture
def push():
    with Push(timeout_s=PATIENCE_S) as one:
        yield one


@pytest.fixture
def client():
    with contextlib.ExitStack() as stack:

        def make(push, *, until_free=False, **more):
            """`until_free`: it takes a moment to be seen that the one before has gone."""
            while (one := Client(push.url, **more)).status == HTTPStatus.CONFLICT and until_free:
                one.close()
            stack.callback(one.close)
            return one

        yield make


@pytest.fixture(scope="session")
def noise():
    """`noise(3)`: so many different frames of 64x48."""

    def make(count, size_hw=(48, 64)):
        return np.random.default_rng(5).integers(0, 256, (count, *size_hw, 3), np.uint8)

    return make
