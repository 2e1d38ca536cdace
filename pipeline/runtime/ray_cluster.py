"""Joins a Ray cluster, or starts one here for a job; what is wrong with an address is one line.

Ray itself (2.60) tries an address where nobody answers for minutes and then aborts or shows a
traceback, so an address is tried here first, by the steps that `ray.init` takes, each with an end.
"""

from __future__ import annotations

import io
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path

import ray
from ray._private.authentication.authentication_token_setup import ensure_token_if_auth_enabled
from ray._private.services import canonicalize_bootstrap_address
from ray._raylet import GcsClient  # type: ignore[attr-defined]
from ray.exceptions import AuthenticationError

from operators.errors import DinostreamError, UsageError
from pipeline.errors import RuntimeFailure
from pipeline.runtime.address import LOCAL, cluster_address
from pipeline.runtime.ray_session import keep_token_private, session_folder

log = logging.getLogger(__name__)

PROBE_S = 5.0
STARTS = 3  # of a cluster of our own: Ray gives its processes 30 s, which a busy machine may need
OBJECT_STORE_BYTES = 512 << 20  # some forty chunks of 518 px frames
# What opens an HTTP/2 connection (RFC 9113, 3.4): its magic, and SETTINGS with nothing in it.
_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
_SETTINGS = 4
_LATE = "timed out during startup"


@contextmanager
def cluster(address: str | None) -> Iterator[bool]:
    """Join a cluster, or start one here for the job: quiet, no dashboard, no statistics.

    Args:
        address: `HOST:PORT`, `auto` (the cluster of this machine) or `local` (a new one). None:
            what RAY_ADDRESS says, else a new one.

    Yields:
        Whether it is a new one, the job's own.

    Raises:
        UsageError: that is no address.
        RuntimeFailure: no cluster answers there, it refuses us, or none can be started.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    logging.getLogger("ray").setLevel(logging.ERROR)
    wanted = cluster_address(address)
    with session_folder() if wanted == LOCAL else nullcontext() as folder:
        with _handlers_kept():
            _join(wanted, folder)
        try:
            with redirect_stdout(_Murmur()):
                yield folder is not None
        finally:
            ray.shutdown()


def _join(address: str, folder: Path | None) -> None:
    """Start a new cluster whose session is in the folder, or join one."""
    try:
        if folder is None:
            _probe(address)
            ray.init(address=address, configure_logging=False, log_to_driver=False)
        else:
            keep_token_private()
            _start(folder)
            keep_token_private()  # which Ray may have written just now
    except DinostreamError:
        raise
    except Exception as error:
        if not ray.is_initialized():  # else it is somebody else's, and there before
            ray.shutdown()  # of what it had begun
        raise _refused(address, error) from error


def _start(folder: Path) -> None:
    """Start a new cluster, again where its processes did not come up in Ray's time."""
    for left in reversed(range(STARTS)):
        try:
            ray.init(
                address=LOCAL,
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                configure_logging=False,
                log_to_driver=False,
                _temp_dir=str(folder),
            )
            return
        except Exception as error:
            if _LATE not in str(error) or not left:
                raise
            log.warning("Ray did not start within its time: this machine is busy; once more")
            ray.shutdown()  # of what it had begun


def _probe(address: str) -> None:
    """Look whether a cluster answers at an address and takes us."""
    if "://" in address:
        raise UsageError(
            f"address {address!r}: a job needs a node of its cluster under it, which Ray Client "
            "has not; start it on one of the cluster's machines with --address auto or HOST:6379"
        )
    try:
        found = canonicalize_bootstrap_address(address)
        host, _, port = str(found).rpartition(":")
        if not 0 < int(port) < 1 << 16:
            raise ValueError(f"no port: {port}")
        answers = _speaks_http2(host.strip("[]"), int(port))
    except (ValueError, OverflowError) as error:
        raise UsageError(f"address {address!r}: want HOST:PORT, auto or local") from error
    except OSError as error:
        why = error.strerror or str(error).partition(".")[0]
        raise RuntimeFailure(
            f"no Ray cluster at {address}: {why}; `ray start --head` begins one, and "
            "--address local starts the job's own here"
        ) from error
    if not answers:
        raise RuntimeFailure(
            f"no Ray cluster at {address}: something listens there that does not answer as one; "
            "want the port of `ray start --head` (6379), not its dashboard's or its clients'"
        )
    if address != "auto":  # which finds the token of this machine's own cluster by itself
        ensure_token_if_auth_enabled(create_token_if_missing=False)
        GcsClient(address=found)


def _speaks_http2(host: str, port: int) -> bool:
    with socket.create_connection((host, port), timeout=PROBE_S) as connection:
        if os.environ.get("RAY_USE_TLS", "0") not in ("", "0"):
            return True  # for Ray's own client to find out
        connection.settimeout(PROBE_S)
        connection.sendall(_HELLO)
        try:
            frame = connection.recv(9, socket.MSG_WAITALL)
        except OSError:  # nothing in time, or a reset
            return False
    return len(frame) == 9 and frame[3] == _SETTINGS


def _refused(address: str, error: Exception) -> RuntimeFailure:
    """What Ray's error means."""
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) and isinstance(cause, Exception):
        chain.append(cause)
    text = " ".join(str(one) for one in chain)
    if isinstance(chain[0], AuthenticationError) or "AuthToken" in text:
        return RuntimeFailure(
            f"the Ray cluster at {address} wants its token: set RAY_AUTH_MODE=token, and "
            "RAY_AUTH_TOKEN or the file ~/.ray/auth_token to what its head node has"
        )
    if isinstance(chain[0], UnicodeEncodeError):
        return RuntimeFailure(
            "Ray is told this process's command line, which holds a name that is not UTF-8, and "
            "cannot take it; name the folder around it, or use --runtime inline"
        )
    if "Version mismatch" in text:
        return RuntimeFailure(f"the Ray cluster at {address} refuses us: {' '.join(text.split())}")
    if address == LOCAL:
        why = str(error).strip().partition("\n")[0]
        return RuntimeFailure(f"Ray cannot be started here: {why}; --runtime inline does without")
    why = str(chain[-1]).strip().partition("\n")[0]
    return RuntimeFailure(f"cannot join the Ray cluster at {address}: {why}")


@contextmanager
def _handlers_kept() -> Iterator[None]:
    """Ray's core takes SIGTERM for a crash and aborts (2.60); whoever asked for it gets it back."""
    if threading.current_thread() is not threading.main_thread():
        yield  # where nobody may set handlers
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        if handler is not None:  # else it was not Python's
            signal.signal(number, handler)


class _Murmur(io.TextIOBase):
    """Ray prints the deaths of workers to stdout, where our report goes, whatever it is told."""

    def write(self, text: str) -> int:
        if text.strip():
            log.debug("%s", text.strip())
        return len(text)
