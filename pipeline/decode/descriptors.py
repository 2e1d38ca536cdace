"""File descriptors: a host of decode processes has three for each of them."""

from __future__ import annotations

import errno
import resource

EACH = 3  # of a decode process: its orders, its messages, and its slate with its stderr
SPARE = 64  # for all else in this process: files and connections of a sink, a service's clients


def allow_many_descriptors() -> None:
    """As many as this process may have: the usual 1,024 end at 320 cameras, and the most that
    may be asked for is far above that. Never fewer than before."""
    asked, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if asked != most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def spare_some(fd: int) -> None:
    """Refuse the newest descriptor where too few are left for all else. The lowest that is free is
    given out, so its number tells how many there are.

    Raises:
        OSError: too few are left.
    """
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= most - SPARE <= fd:
        raise OSError(
            errno.EMFILE,
            f"each takes {EACH} descriptors, this process may have {most}, and {SPARE} are for all "
            "else; raise the hard limit (ulimit -Hn), or give the job more engines",
        )
