"""Where a job's HTTP service listens, and the names under which it answers.

Loopback unless asked; beyond it a token is needed, so that a service is never open by accident.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from operators.errors import UsageError
from pipeline.secrets import remember

TOKEN = "DINOSTREAM_TOKEN"  # name of the environment variable, not its value
SHORTEST_TOKEN = 16
EXAMPLE = "such as 127.0.0.1:8600"
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[?[0-9a-f:.]*:[0-9a-f:.]*\]?")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a service listens.

    Attributes:
        allowed: names, in lower case, that browsers may call it by beside its own.
    """

    host: str
    port: int
    token: str = ""
    allowed: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """For a person on the same machine."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Nobody from elsewhere gets there."""
        return is_loopback(self.host)

    def is_called(self, name: str) -> bool:
        """Whether a name, in lower case, is one of its own, of loopback, or allowed."""
        return is_loopback(name) or name == self.host.lower() or name in self.allowed


def is_loopback(name: str) -> bool:
    """Whether a host's name or address, without brackets, is this machine's own and no other's."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def parse_place(
    text: str, environ: Mapping[str, str] = os.environ, *, allowed: Sequence[str] = ()
) -> Place:
    """`HOST:PORT`, the token of the environment, and names that are allowed beside the own.

    Raises:
        UsageError: it is none, beyond loopback there is no token, or a name is none.
    """
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isdecimal() and int(port) < 65536):
        raise UsageError(f"--listen takes HOST:PORT, {EXAMPLE}; got {text!r}")
    token = environ.get(TOKEN, "")
    place = Place(host, int(port), token, tuple(_name(one) for one in allowed))
    if token:
        remember(token)
        if len(token) < SHORTEST_TOKEN:
            raise UsageError(f"{TOKEN} has {len(token)} characters, want {SHORTEST_TOKEN} or more")
    elif not place.loopback:
        raise UsageError(
            f"--listen {text} can be reached from elsewhere, which needs a token: set {TOKEN} to "
            f"{SHORTEST_TOKEN} characters or more, or listen on loopback, {EXAMPLE}"
        )
    return place


def _name(text: str) -> str:
    name = text.lower()
    if not _NAME.fullmatch(name):
        raise UsageError(
            "--allow-host takes the name of a host without scheme and port, such as "
            f"cams.example.com; got {text!r}"
        )
    return name.removeprefix("[").removesuffix("]")
