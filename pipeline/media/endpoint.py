"""Where a live source that is a bare socket lies: `udp://HOST:PORT` or `tcp://HOST:PORT`.

As ffmpeg writes them: `udp://@239.1.1.1:1234` is a multicast group, `udp://0.0.0.0:1234` a port of
every address of this machine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlsplit

from pipeline.errors import SourceError

SOCKET_SCHEMES = ("udp", "tcp")
_INTERFACE = "localaddr"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One socket to read from.

    Attributes:
        scheme: `udp` or `tcp`.
        host: a name or an address: of the server (tcp), of this machine or a group (udp).
        port: 1 to 65535.
        interface: address of this machine at which a group is joined; "": the system chooses.
    """

    scheme: str
    host: str
    port: int
    interface: str = ""

    @property
    def is_group(self) -> bool:
        """What is sent there goes to whoever has joined."""
        try:
            return ip_address(self.host).is_multicast
        except ValueError:
            return False  # a name

    @classmethod
    def of(cls, url: str) -> Endpoint:
        """
        Raises:
            SourceError: it is no such address; says what is wrong with it.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:  # of no port, or of a bracket too few
            raise SourceError(_said(url, "names no host and port")) from None
        if not host or not port:
            raise SourceError(_said(url, "names no host and port"))
        if parts.username:
            raise SourceError(_said(url, "names a user, whom a socket does not know"))
        if parts.path.strip("/") or parts.fragment:
            raise SourceError(_said(url, "has a path, which a socket does not"))
        endpoint = cls(parts.scheme, host, port)
        return replace(endpoint, interface=_interface(parts.query, endpoint))


def _interface(query: str, endpoint: Endpoint) -> str:
    """What is said behind the `?`, of which one thing can be."""
    values = dict(parse_qsl(query, keep_blank_values=True))
    interface = values.pop(_INTERFACE, "")
    if values:
        raise SourceError(
            f"has {', '.join(values)} behind its ?; there is {_INTERFACE} of a multicast group "
            "alone, so leave it out"
        )
    joins = endpoint.is_group and _is_ipv4(endpoint.host)
    if interface and not (joins and _is_ipv4(interface)):
        raise SourceError(
            f"{_INTERFACE} is the IPv4 address of this machine at which an IPv4 group is joined"
        )
    return interface


def _said(url: str, what: str) -> str:
    return f"{what}; want {url.partition(':')[0]}://HOST:PORT"


def _is_ipv4(text: str) -> bool:
    try:
        return ip_address(text).version == 4
    except ValueError:
        return False
