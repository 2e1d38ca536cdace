"""Where the host of a source is: its name is looked up once, and connected to at what was found.

A name leads wherever its owner says, at every look-up anew. So what was looked up for one request
counts for all that follow it: whoever answers there sends us on to himself alone. The address that
a user wrote may be private, as cameras' are; so may be what his own name servers say of a name.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Any

from pipeline.errors import SourceError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Found = tuple[socket.AddressFamily, tuple[Any, ...]]
"""A family, and an address as sockets of it take them."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # an IPv4 address in its last 32 bits
_LOCAL = ".local"  # names that machines give themselves, at addresses that they took themselves
_public: set[str] = set()  # names that led to the internet once, in this process


class Whereabouts:
    """Of the hosts of one connection to a source."""

    def __init__(self, look_up: Callable[[str], Sequence[Found]] | None = None) -> None:
        """`look_up`: name -> all that it leads to; the system's where it is not given."""
        self._look_up = look_up or _look_up
        self._found: dict[str, list[Found]] = {}

    def connect(
        self, place: tuple[str, int], timeout_s: float | None, source: object = None
    ) -> socket.socket:
        """As `socket.create_connection` does, which http.client has it for.

        Raises:
            SourceError: the name leads where no name may lead.
            OSError: it leads nowhere, or nobody is there.
        """
        host, port = place
        failure = OSError(f"{host} leads nowhere")
        for family, (address, _, *more) in self._of(host):
            connection = socket.socket(family, socket.SOCK_STREAM)
            connection.settimeout(timeout_s)
            try:
                connection.connect((address, port, *more))
            except OSError as error:
                connection.close()
                failure = error
            else:
                return connection
        raise failure

    def is_this_machine(self, host: str) -> bool:
        """Whether requests to a host go to loopback. Not those to one that a proxy alone knows.

        Raises:
            SourceError: its name leads where no name may lead.
        """
        try:
            found = self._of(host)
        except OSError:
            return False
        return any(_address(place).is_loopback for _, place in found)

    def _of(self, host: str) -> list[Found]:
        if host not in self._found:
            self._found[host] = _allowed(host, self._look_up(host))
        return self._found[host]


def _look_up(host: str) -> list[Found]:
    told = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)
    return [(family, place) for family, _, _, _, place in told]


def _allowed(host: str, found: Sequence[Found]) -> list[Found]:
    """What is left of it. Who mixes addresses of the internet with others means the others."""
    if _is_address(host):
        return list(found)
    usable = [one for one in found if _may_be_named(_address(one[1]), host)]
    if found and not usable:
        raise SourceError(
            f"its name leads to {_address(found[0][1])}, where no name of a camera leads; where "
            "that is meant, write the address itself"
        )
    public = [one for one in usable if _address(one[1]).is_global]
    if usable and not public and host in _public:
        raise SourceError(
            f"its name leads to {_address(usable[0][1])} now, which is not on the internet as it "
            "was before: its owner may be after something else there"
        )
    if public:
        _public.add(host)
    return public or usable


def _may_be_named(address: Address, host: str) -> bool:
    """Link-local addresses are where clouds keep their machines' credentials."""
    if address.is_link_local:
        return host.lower().endswith(_LOCAL)
    reserved = address.version == 4 and address.is_reserved
    return not (address.is_unspecified or address.is_multicast or reserved)


def _address(place: tuple[Any, ...]) -> Address:
    """What counts of it: IPv4 within IPv6 is IPv4."""
    address = ipaddress.ip_address(place[0].partition("%")[0])
    if address.version == 4:
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
