"""Machines of a trial: namespaces of one kernel, on a switch of their own.

Each has its network, processes, mounts and shared memory, so that it can be killed, frozen and
unplugged as a whole. Needs root. Knows nothing of Ray.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

NETWORK = "10.77.0"
SWITCH = "switch"

# The first process of a machine: it buries orphans, as bash does beside whatever it waits for, and
# ends with whoever holds its standard input.
_FIRST = """
mkdir -p /tmp/ray && mount --bind "$1" /tmp/ray
mount -t tmpfs -o size=1g tmpfs /dev/shm
ip link set lo up
echo up
read -r
"""


def plug_in_switch() -> None:
    """Make the network of this process the one that machines are plugged into."""
    for command in (
        f"ip link add name {SWITCH} type bridge",
        f"ip addr add {NETWORK}.1/24 dev {SWITCH}",
        f"ip link set {SWITCH} up",
        "ip link set lo up",
    ):
        subprocess.run(command.split(), check=True)


class Machine:
    """One machine, on until `off`. It ends with the process that made it."""

    def __init__(self, name: str, number: int, folder: Path) -> None:
        """
        Args:
            name: of its plug at the switch too; 15 characters at most.
            number: last part of its address, 2 to 254.
            folder: where it logs; what it has at /tmp/ray lies here too.
        """
        self.name = name
        self.address = f"{NETWORK}.{number}"
        self._card = f"02:00:00:00:00:{number:02x}"
        self._folder = folder / name
        (self._folder / "ray").mkdir(parents=True, exist_ok=True)
        isolated = ["--net", "--pid", "--mount", "--ipc", "--fork", "--kill-child", "--mount-proc"]
        with self.log("machine.log").open("ab") as log:
            self._unshare = subprocess.Popen(
                ["unshare", *isolated, "bash", "-c", _FIRST, name, self._folder / "ray"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self._unshare.stdout
        if self._unshare.stdout.readline() != b"up\n":
            raise RuntimeError(f"no machine {name}: {self.log('machine.log').read_text()}")
        self._started: list[subprocess.Popen[bytes]] = []
        (self._first,) = children(self._unshare.pid)
        self._space = os.readlink(f"/proc/{self._first}/ns/pid")
        self._cable()

    def _cable(self) -> None:
        for command in (
            f"ip link add name {self.name} type veth peer name eth0 netns {self._first}",
            f"ip link set dev {self.name} master {SWITCH} up",
            f"nsenter -t {self._first} -n ip addr add {self.address}/24 dev eth0",
            # A machine that comes again has the card it had: others know where its address is.
            f"nsenter -t {self._first} -n ip link set eth0 address {self._card} up",
            f"nsenter -t {self._first} -n ip route add default via {NETWORK}.1",
        ):
            subprocess.run(command.split(), check=True)

    def start(
        self, command: Sequence[str | Path], log: str, environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Run a command here.

        Args:
            command: and its arguments.
            log: name of the file, in the machine's folder, that what it says is added to.
            environment: all of it.

        Returns:
            It, with a pipe at its standard input.
        """
        inside = ["nsenter", "-t", str(self._first), "-n", "-p", "-m", "-i"]
        with self.log(log).open("ab") as file:
            started = subprocess.Popen(
                [*inside, "env", "-C", Path.cwd(), *command],
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=file,
                env=dict(environment),
            )
        self._started.append(started)
        return started

    def log(self, name: str) -> Path:
        return self._folder / name

    def processes(self, title: str = "") -> list[int]:
        """Process ids, as this process sees them, of all whose command line holds a text, oldest
        first; without the machine's first."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # gone meanwhile
                if os.readlink(entry / "ns" / "pid") == self._space:
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if title in line and int(entry.name) != self._first:
                        found.append(int(entry.name))
        return sorted(found, key=_begun)

    def signal(self, number: signal.Signals, title: str = "") -> int:
        """Send a signal to all processes whose command line holds a text; how many there were."""
        found = self.processes(title)
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        return len(found)

    def kill(self) -> None:
        """All its processes at once; its kernel lives, and says to all peers that they are gone."""
        while self.signal(signal.SIGKILL):
            pass

    def unplug(self) -> None:
        """Nothing reaches it and nothing comes from it; nobody is told."""
        subprocess.run(["ip", "link", "set", "dev", self.name, "down"], check=True)

    def plug_in(self) -> None:
        subprocess.run(["ip", "link", "set", "dev", self.name, "up"], check=True)

    def freeze(self) -> None:
        """As a virtual machine that is paused."""
        self.unplug()
        self.signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.signal(signal.SIGCONT)
        self._let_go()
        self.plug_in()

    def off(self) -> None:
        """Power is cut: nobody says goodbye."""
        subprocess.run(["ip", "link", "del", "dev", self.name], check=True)
        os.kill(self._first, signal.SIGKILL)
        self._let_go()
        self._unshare.wait()

    def _let_go(self) -> None:
        """Have each nsenter go on, which stops with what it has started, and has to bury it."""
        for started in self._started:
            started.send_signal(signal.SIGCONT)

    def connections(self, port: int) -> list[str]:
        """Addresses of those that are connected to a port of this machine, one per connection."""
        lines = Path(f"/proc/{self._first}/net/tcp").read_text().splitlines()[1:]
        rows = [line.split() for line in lines]
        return [
            _address(remote)
            for _, local, remote, state, *_ in rows
            if state == _ESTABLISHED and int(local.partition(":")[2], 16) == port
        ]

    @property
    def shared_memory_bytes(self) -> int:
        """What is written in its /dev/shm, where Ray has its objects."""
        facts = os.statvfs(f"/proc/{self._first}/root/dev/shm")
        return (facts.f_blocks - facts.f_bfree) * facts.f_frsize


_ESTABLISHED = "01"  # include/net/tcp_states.h


def _address(text: str) -> str:
    """`0100000A:1F90` of /proc/net/tcp as 10.0.0.1."""
    return ".".join(str(byte) for byte in reversed(bytes.fromhex(text.partition(":")[0])))


def children(pid: int) -> list[int]:
    """Process ids of the children of a process."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _begun(pid: int) -> int:
    """When it was started, in ticks since the kernel was; 0 of one that is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except OSError:
        return 0
