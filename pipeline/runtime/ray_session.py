"""Where a Ray of our own keeps its session: a folder of the job's, which nobody else can read.

Ray puts its sockets there, whose paths may have 107 bytes, and leaves everything behind. So a long
TMPDIR is passed over, the folder goes when the job ends, and what a killed job left goes at the
next start: a job holds a lock on its folder, and the kernel lets go of it whatever ends the job.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from pipeline.errors import RuntimeFailure

log = logging.getLogger(__name__)

PREFIX = "dinoray-"  # short: there is little room
SOCKET_BYTES = 107  # of a path (Linux, unix(7))
_SOCKET = "/session_2026-11-29_09-09-44_694180_4194304/sockets/plasma_store"  # the longest below it
_RANDOM = 8  # characters that mkdtemp adds


@contextmanager
def session_folder() -> Iterator[Path]:
    """A folder for one session, mode 0700. It stays where the job fails: Ray's logs tell more.

    Raises:
        RuntimeFailure: no folder for temporary files will do.
    """
    base = _base()
    _clear(base)
    folder, lock = _held(base)
    stays = False
    try:
        yield folder
    except RuntimeFailure:
        stays = True
        log.info("Ray's own logs of this run stay in %s until the next one", folder)
        raise
    finally:
        if not stays:
            shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def keep_token_private() -> None:
    """Close the folder and the file of Ray's token to others; Ray makes both open to all (2.60)."""
    folder = Path.home() / ".ray"
    with suppress(OSError):  # where Ray needs it all the same, it says so
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in (folder, folder / "auth_token"):
        if path.exists() and path.stat().st_uid == os.getuid():
            path.chmod(path.stat().st_mode & 0o700)


def _base() -> Path:
    """The first folder for temporary files, in Ray's order, in which its sockets have room."""
    asked = [os.environ[name] for name in ("RAY_TMPDIR", "TMPDIR") if os.environ.get(name)]
    for place in (*asked, "/tmp"):
        base = Path(place).absolute()
        longest = len(os.fsencode(base)) + len(f"/{PREFIX}") + _RANDOM + len(_SOCKET)
        if not os.access(base, os.W_OK | os.X_OK):
            log.info("%s is no folder that can be written; Ray's session does without", base)
        elif longest > SOCKET_BYTES:
            log.info("%s is too long a path for Ray's sockets; its session does without", base)
        else:
            return base
    raise RuntimeFailure(
        f"Ray cannot be started here: its session wants a folder with a short path, and none of "
        f"{', '.join((*asked, '/tmp'))} will do; set RAY_TMPDIR, or --runtime inline does without"
    )


def _held(base: Path) -> tuple[Path, int]:
    """A new folder and the lock on it."""
    while True:
        folder = Path(mkdtemp(prefix=PREFIX, dir=base))
        try:
            lock = _locked(folder)
        except OSError as error:
            folder.rmdir()
            raise RuntimeFailure(
                f"{base}: a folder for Ray's session cannot be locked there: {error.strerror}; set "
                "RAY_TMPDIR to a folder on a local disk"
            ) from error
        if lock is None:  # another job takes it for a dead one's
            continue
        if folder.exists():
            return folder, lock
        os.close(lock)


def _clear(base: Path) -> None:
    """Remove what dead jobs of this user left."""
    for folder in base.glob(f"{PREFIX}{'?' * _RANDOM}"):
        with suppress(OSError):
            lock = _locked(folder) if _is_ours(folder) else None
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _is_ours(folder: Path) -> bool:
    try:
        facts = folder.lstat()
    except OSError:  # gone meanwhile
        return False
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid()


def _locked(folder: Path) -> int | None:
    """An open folder, locked as long as it is open; None where somebody else holds it, or has
    removed it.

    Raises:
        OSError: the disk knows no locks, or there are no descriptors left.
    """
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(opened)
        return None
    except OSError:
        os.close(opened)
        raise
    return opened
