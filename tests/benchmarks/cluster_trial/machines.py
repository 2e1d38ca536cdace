"""What becomes of connections to a machine of a trial; facts on stdout, one JSON object. To be run
in namespaces of its own."""

import json
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

from benchmarks.cluster_trial.deliveries import wait_until
from benchmarks.cluster_trial.machine import NETWORK, Machine, plug_in_switch

PORT = 8000
SERVER = [sys.executable, "-m", "http.server", str(PORT)]


def connected(timeout_s=1.0):
    """A connection to the server, None where nobody answers in time: a question may be lost where
    an address has just gone over to another machine."""
    with suppress(OSError):
        return socket.create_connection((server.address, PORT), timeout_s)


def ended(connection):
    """Whether the other side said so."""
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


def states():
    return {Path(f"/proc/{pid}/stat").read_text().split()[2] for pid in server.processes()}


plug_in_switch()
folder = Path(sys.argv[1])
server = Machine("server", 2, folder)
server.start(SERVER, "server.log", os.environ)
connection = wait_until(connected, "a server")
facts = {"seen": wait_until(lambda: server.connections(PORT), "a connection") == [f"{NETWORK}.1"]}
facts["apart"] = not Machine("other", 3, folder).processes("http.server")
server.unplug()
facts["silent when unplugged"] = connected(0.5) is None
server.plug_in()
facts["back"] = wait_until(connected, "the server back") is not None
server.freeze()
facts["stopped when frozen"] = bool(wait_until(lambda: states() == {"T"}, "a frozen server"))
server.go_on()
facts["goes on"] = wait_until(connected, "the server going on") is not None
server.kill()
facts["tells that it was killed"] = ended(connection)
facts["nothing left"] = server.processes() == []
server.start(SERVER, "server.log", os.environ)
connection = wait_until(connected, "the server again")
server.off()
connection.settimeout(0.5)
facts["silent when off"] = not ended(connection)
server = Machine("server", 2, folder)
server.start(SERVER, "server.log", os.environ)
facts["on again"] = wait_until(connected, "the server on") is not None
print(json.dumps(facts))
