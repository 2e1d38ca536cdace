"""How the bytes of one source come: as they are sent, in parts, or by way of the disk.

URL in -> a file for libav. A recording of a server that gives no parts of it is copied to disk
first, within a bound; the copy has no name there, so that it is gone with its process whatever
happens.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import IO, Protocol

from pipeline.errors import SourceError
from pipeline.media.fingerprint import EDGE_BYTES, edges_session, file_session
from pipeline.media.hls_playlist import MAGIC
from pipeline.media.http import SameHost
from pipeline.media.http_file import HttpFile
from pipeline.media.retry import Retry, Wait, sleep
from pipeline.media.site import is_remote, site_of
from pipeline.secrets import mask

log = logging.getLogger(__name__)

SPOOL_BYTES = 8 << 30
_PIECE_BYTES = 1 << 20


class PlaylistError(SourceError):
    """An HLS playlist, which has no bytes of its own to play; `pipeline.media.hls` reads those,
    from the host that answered (`site`): looked up again its name might lead elsewhere."""

    def __init__(self, site: SameHost) -> None:
        super().__init__("is a list of other files (hls)")
        self.site = site


class Readable(Protocol):
    """What libav needs; where it has `seek` and `tell`, it can be sought."""

    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


class Seekable(Readable, Protocol):
    """A file."""

    def seek(self, offset: int, whence: int = 0, /) -> int: ...

    def tell(self) -> int: ...

    def seekable(self) -> bool: ...


@dataclass(slots=True)
class Transfer:
    """Of one stream, for as long as its process lives.

    Attributes:
        live: follow it like a camera; else it must be a recording, and all of it.
        spool_bytes: most that may be copied to disk.
        wait: how to wait for a server; also told, with 0 seconds, of every step of a copy.
        clock: seconds, monotonic; when what came.
        transport: what the packets of an rtsp source come over, `tcp` or `udp`.
    """

    live: bool = False
    spool_bytes: int = SPOOL_BYTES
    wait: Wait = sleep
    clock: Callable[[], float] = time.monotonic
    transport: str = "tcp"
    _copy: tuple[str, IO[bytes]] | None = field(default=None, repr=False)

    def open(self, site: SameHost, url: str) -> tuple[Seekable, int | None]:
        """The source, and how long it is: None where it is live.

        Raises:
            PlaylistError: it is a playlist.
            SourceError: it is no recording, its copy would be too large, or the line broke.
            OSError: no answer, or an error as answer.
        """
        if self._copy is None or self._copy[0] != url:
            file = HttpFile(site, url)
            if file.peek(len(MAGIC)) == MAGIC:
                file.close()
                raise PlaylistError(site)
            if self.live or file.seekable():
                return file, file.length
            self.close()
            self._copy = url, self._copied(site, url, file)
        copy = self._copy[1]
        return _reader(copy), os.fstat(copy.fileno()).st_size

    def close(self) -> None:
        """Let go of the copy."""
        if self._copy is not None:
            self._copy[1].close()
            self._copy = None

    def _copied(self, site: SameHost, url: str, file: HttpFile) -> IO[bytes]:
        """All of it on disk; begun anew where the line breaks, as what cannot be asked for from the
        middle may have changed in front of it."""
        self._require_recording(file)
        size = "" if file.length is None else f" ({file.length >> 20} MiB)"
        log.warning(
            "%s: its server gives no parts of it; all of it%s is copied to %s first",
            *(mask(url), size, tempfile.gettempdir()),
        )
        retry, answered = Retry(self.wait), [file]
        while True:
            try:
                return self._spool(answered.pop() if answered else HttpFile(site, url))
            except (SourceError, OSError) as error:
                if not retry.is_worth(error):
                    raise

    def _spool(self, file: HttpFile) -> IO[bytes]:
        self._require_recording(file)
        copy = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            while data := file.read(_PIECE_BYTES):
                _write(copy, data)
                self._require_room(copy.tell())
                if not self.wait(0):
                    raise SourceError("stopped while it was copied", retryable=True)
            copy.flush()
        except BaseException:
            copy.close()
            raise
        finally:
            file.close()
        return copy

    def _require_recording(self, file: HttpFile) -> None:
        try:
            if file.length is None and not file.chunked:
                raise SourceError(
                    "is no recording: its server says neither how long it is nor where it ends; "
                    "use dinostream run"
                )
            self._require_room(file.length or 0)
        except SourceError:
            file.close()
            raise

    def _require_room(self, size: int) -> None:
        if size > self.spool_bytes:
            raise SourceError(
                f"cannot be copied to disk: {size} bytes or more, and its server gives no parts of "
                f"it; raise spool_bytes ({self.spool_bytes}), or let a server with ranges give it"
            )


def file_edges(
    url: str, edge_bytes: int, transfer: Transfer, timeout_s: float = 10.0
) -> tuple[int, bytes, bytes]:
    """Size, first and last bytes of a recording, the same whichever way they come.

    Raises:
        SourceError: it cannot be had, or is nothing one can read twice.
    """
    try:
        source, size = transfer.open(site_of(url, timeout_s, transfer.wait), url)
        with closing(source):
            first = exactly(source, min(edge_bytes, size or 0))
            source.seek(max(0, (size or 0) - edge_bytes))
            return size or 0, first, exactly(source, len(first))
    except OSError as error:
        raise SourceError(f"cannot be read: {mask(str(error))}", retryable=True) from None


def recording_session(url: str, transfer: Transfer, edge_bytes: int = EDGE_BYTES) -> str:
    """12 hex of a recording's size and ends, wherever it lies: a copy has the same.

    Raises:
        SourceError: as of `file_edges`; a file that cannot be read is as if it were empty.
    """
    if is_remote(url):
        return edges_session(*file_edges(url, edge_bytes, transfer))
    return file_session(url, edge_bytes)


def exactly(source: Readable, size: int) -> bytes:
    """So many bytes, in as many pieces as they come; fewer at the end."""
    pieces: list[bytes] = []
    while size and (piece := source.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _write(copy: IO[bytes], data: bytes) -> None:
    try:
        copy.write(data)
        copy.flush()
    except OSError as error:
        place = tempfile.gettempdir()
        raise SourceError(f"cannot be copied to {place} (TMPDIR): {error.strerror}") from None


def _reader(copy: IO[bytes]) -> IO[bytes]:
    """Another reader of a file without a name, with a place of its own in it."""
    return open(f"/proc/self/fd/{copy.fileno()}", "rb", buffering=0)
