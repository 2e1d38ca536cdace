"""File descriptors: a host of decode processes has three for each of them."""

from __future__ import annotations

import resource


def allow_many_descriptors() -> None:
    """As many as this process may have: the usual 1,024 end at some 330 cameras, and the most that
    may be asked for is far above that. Never fewer than before."""
    asked, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if asked != most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
