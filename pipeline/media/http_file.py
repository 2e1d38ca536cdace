"""One resource of an http(s) server as a file: read, sought, and read on where the line broke.

What is finite says so in its answer: a length. A transfer that ends before it is asked for again
from there; what is glued on must be of the same file.
"""

from __future__ import annotations

import http.client
import urllib.error
from typing import TYPE_CHECKING

from pipeline.errors import SourceError
from pipeline.media.answer import Answer
from pipeline.media.retry import Retry

if TYPE_CHECKING:
    from pipeline.media.http import SameHost


class HttpFile:
    """Implements what libav reads from; one request at a time."""

    def __init__(self, site: SameHost, url: str, first: int = 0, end: int = 0) -> None:
        """Ask for it.

        Args:
            site: its host.
            url: on that host.
            first, end: only these bytes of it, the last not included; 0 and 0: all.

        Raises:
            SourceError: another host, or an answer that makes no sense.
            OSError: no answer, or an error as answer.
        """
        self._site, self._url = site, url
        self._position, self._end = first, end
        self._peeked = b""  # read, and not given out
        self._retry = Retry(site.wait)
        self._failure: SourceError | OSError | None = None  # libav asks again after an error
        self._answer = self._open()
        self._response: http.client.HTTPResponse | None = self._answer.response
        self._comes = first  # which byte comes next from there

    @property
    def length(self) -> int | None:
        """Of the whole resource, bytes; None where the answer does not say: it may be live."""
        return self._answer.length

    @property
    def chunked(self) -> bool:
        """Its end is marked, where its length is not told."""
        return self._answer.chunked

    def peek(self, size: int) -> bytes:
        """The next bytes, which stay to be read; fewer at the end."""
        while len(self._peeked) < size and (data := self._read(size - len(self._peeked))):
            self._peeked += data
        return self._peeked[:size]

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end.

        Raises:
            SourceError: the line broke for good (retryable: a later run may read the rest), or the
                file is another one now.
            OSError: the line of something without a length broke.
        """
        if self._peeked:
            data, self._peeked = self._peeked[:size], self._peeked[size:]
            return data
        return self._read(size)

    def _read(self, size: int) -> bytes:
        if self.length is None:
            return self._received_live(size)
        end = min(self._end or self.length, self.length)
        while self._position < end:
            if self._failure is not None:
                raise self._failure
            try:
                data = self._received(size)
            except OSError as error:
                self._come_back(error)
            else:
                if data:
                    self._retry.worked()
                    return data
                self._come_back(OSError("the server closed the connection"))
        return b""

    def seekable(self) -> bool:
        """Its server gives parts of it."""
        return self._answer.gives_parts

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go elsewhere; a request is made by the next read, where it is needed: libav goes to the
        end and back to know the length."""
        position = offset + (0, self.tell(), self.length or 0)[whence]
        if position != self.tell():
            self._peeked = b""
            self._position = position
        return position

    def tell(self) -> int:
        """Bytes from the beginning."""
        return self._position - len(self._peeked)

    def close(self) -> None:
        """Hang up; a later read asks again."""
        if self._response is not None:
            self._response.close()
            self._response = None

    def _open(self) -> Answer:
        """The first answer. A range even of the whole: who answers with a part gives parts,
        whether his headers say so or not."""
        try:
            return self._ask({"Range": self._range})
        except urllib.error.HTTPError as error:
            if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE or self._position:
                raise
            error.close()  # it is empty, or its server knows no ranges
            return self._ask({})

    @property
    def _range(self) -> str:
        return f"bytes={self._position}-{self._end - 1 if self._end else ''}"

    def _ask(self, headers: dict[str, str], known: Answer | None = None) -> Answer:
        """An answer that begins at our position, and is about the resource that is `known`."""
        response = self._site.get(self._url, 0, 0, headers)
        try:
            answer = Answer.of(response)
            if known is not None:
                known.require_same(answer)
            answer.require_begin(self._position)
        except SourceError:
            response.close()
            raise
        return answer

    def _received_live(self, size: int) -> bytes:
        """Of what has no length, and is not asked for again where its line breaks."""
        if self._failure is not None:
            raise self._failure
        try:
            return self._received(size)
        except OSError as error:
            self._failure = error
            raise

    def _received(self, size: int) -> bytes:
        if self._comes != self._position:
            self.close()
        if self._response is None:
            headers = {"Range": self._range, **self._answer.if_unchanged}
            self._response = self._ask(headers, self._answer).response
            self._comes = self._position
        try:
            data = self._response.read1(size)
        except http.client.HTTPException as error:
            raise OSError(f"the server broke off: {type(error).__name__}") from None
        self._position += len(data)
        self._comes = self._position
        return data

    def _come_back(self, error: OSError) -> None:
        """Wait until the next try is due, or give up."""
        self.close()
        broken = f"the transfer broke off after {self._position} of {self.length} bytes: {error}"
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        if not self.seekable() or not self._retry.is_worth(error):
            self._failure = SourceError(broken, retryable=True)
            raise self._failure from None
