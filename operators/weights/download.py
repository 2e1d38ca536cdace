"""Fetch an official file once: URL in, verified file in the cache out.

Atomic (a broken transfer never looks like a file), verified by size and sha256; a file whose hash
nobody published is pinned at its first use, aloud. Must not know what is in the files.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import logging
import os
import ssl
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError

from operators.errors import WeightsError
from operators.weights.cache import alone
from operators.weights.checkpoint import is_pytorch
from operators.weights.digest import sha256_file
from operators.weights.official_file import OfficialFile

log = logging.getLogger(__name__)

Progress = Callable[[int, int | None], None]  # bytes so far, bytes in all where the server tells
_PIECE_BYTES = 1 << 20
_GZIP = b"\x1f\x8b"
_NETWORK = (URLError, TimeoutError, ConnectionError, ssl.SSLError, http.client.HTTPException)


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A file of the cache whose bytes were just verified."""

    path: Path
    sha256: str


def fetch(
    file: OfficialFile,
    cache_dir: Path,
    *,
    progress: Progress | None = None,
    timeout_s: float = 30.0,
) -> CachedFile:
    """The file from the cache, fetched into it first where it is not there yet.

    Two processes that want the same file fetch it once: the second waits for the first.

    Args:
        file: what to fetch and what it must be.
        cache_dir: folder that is made if need be.
        progress: called after every piece, from this thread.
        timeout_s: longest silence of the server, seconds.

    Raises:
        WeightsError: it cannot be fetched (`retryable`), or its bytes are not the expected ones.
    """
    path = cache_dir / file.file_name
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with alone(path):
            if path.exists():
                return _cached(path, file)
            return _fetched(path, file, progress, timeout_s)
    except OSError as error:
        raise WeightsError(f"{error.filename or path}: {error.strerror or error}") from error


def _fetched(
    path: Path, file: OfficialFile, progress: Progress | None, timeout_s: float
) -> CachedFile:
    log.info("fetching %s into %s (licence %s)", file.url, path.parent, file.licence)
    part = path.with_name(f"{path.name}.part")
    try:
        size_bytes, sha256 = _receive(part, file, progress, timeout_s)
        fault = _fault(path, file, size_bytes, sha256)
        if fault:
            raise WeightsError(f"{file.url}: the server sent {fault}; nothing of it was kept")
        _check_kind(part, file)  # a login page answers 200 too, and must never be pinned
        _pin(path, file, size_bytes, sha256)
        part.replace(path)
    except _NETWORK as error:
        if isinstance(error, HTTPError):
            error.close()  # it is the answer as well, and holds the connection
        raise _unfetched(path, file, error) from error
    finally:
        part.unlink(missing_ok=True)
    return CachedFile(path, sha256)


def _receive(
    part: Path, file: OfficialFile, progress: Progress | None, timeout_s: float
) -> tuple[int, str]:
    digest, done = hashlib.sha256(), 0
    with (
        urllib.request.urlopen(file.url, timeout=timeout_s) as answer,
        part.open("wb") as out,
    ):
        length = answer.headers.get("Content-Length")
        total = int(length) if length else file.size_bytes
        while piece := answer.read(_PIECE_BYTES):
            out.write(piece)
            digest.update(piece)
            done += len(piece)
            if progress is not None:
                progress(done, total)
        out.flush()
        os.fsync(out.fileno())
    if total is not None and done != total:
        raise ConnectionError(f"the connection ended after {done} of {total} bytes")
    return done, digest.hexdigest()


def _cached(path: Path, file: OfficialFile) -> CachedFile:
    sha256, size_bytes = sha256_file(path), path.stat().st_size
    fault = _fault(path, file, size_bytes, sha256)
    if fault:
        raise WeightsError(f"{path}: has {fault}; delete it to fetch {file.url} again")
    _check_kind(path, file)
    _pin(path, file, size_bytes, sha256)
    return CachedFile(path, sha256)


def _fault(path: Path, file: OfficialFile, size_bytes: int, sha256: str) -> str:
    if file.size_bytes not in (None, size_bytes):
        return f"{size_bytes} bytes where {file.size_bytes} belong"
    expected = file.sha256 or _pinned(path)
    if expected not in (None, sha256):
        why = "" if file.sha256 else f" (as first used, {_pin_path(path)})"
        return f"sha256 {sha256} where {expected} belongs{why}"
    return ""


def _check_kind(path: Path, file: OfficialFile) -> None:
    """
    Raises:
        WeightsError: it is no weights file, or no gzip where one is published.
    """
    if not file.file_name.endswith(".gz"):
        is_pytorch(path)
        return
    with path.open("rb") as found:
        head = found.read(len(_GZIP))
    if head != _GZIP:
        raise WeightsError(f"{path}: no gzip (it begins with {head!r})")


def _pin_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _pinned(path: Path) -> str | None:
    try:
        return str(json.loads(_pin_path(path).read_bytes())["sha256"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{_pin_path(path)}: not a pin; delete it to pin again") from error


def _pin(path: Path, file: OfficialFile, size_bytes: int, sha256: str) -> None:
    if file.sha256 is not None or _pinned(path) is not None:
        return
    pin = {"url": file.url, "bytes": size_bytes, "sha256": sha256}
    fresh = path.with_name(f"{path.name}.json.part")
    fresh.write_text(json.dumps(pin, indent=2) + "\n")
    fresh.replace(_pin_path(path))
    log.warning(
        "%s: nobody published its hash; pinned at this first use to sha256 %s", path.name, sha256
    )


def _option(file: OfficialFile) -> str:
    if file.purpose == "words":
        return f"--{file.head} PATH"
    return f"--head {file.purpose}=PATH" if file.head else "--weights PATH"


def _unfetched(path: Path, file: OfficialFile, error: Exception) -> WeightsError:
    return WeightsError(
        f"cannot fetch {file.url} ({error}). Fetch it by hand, on another machine if need be, and "
        f"put it at {path}, or name it with {_option(file)}; --weights demo runs the small weights "
        "that ship with dinostream, which know rendered scenes alone",
        retryable=True,
    )
