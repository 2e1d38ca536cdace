"""A host may open as many decode processes as its machine lets it."""

from __future__ import annotations

import subprocess
import sys

RAISED = """
import resource
from pipeline.decode.descriptors import allow_many_descriptors
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(64, most), most))
allow_many_descriptors()
allow_many_descriptors()
assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, most)
"""


def test_the_limit_is_the_largest_that_may_be_asked_for() -> None:
    """In a process of its own, whose limit is nobody else's."""
    subprocess.run([sys.executable, "-c", RAISED], check=True)


CROWDED = """
import os, resource
from pipeline.decode.descriptors import SPARE
from pipeline.decode.host import DecodeHost
from pipeline.stream.spec import StreamSpec
host = DecodeHost()
free = os.dup(0)
os.close(free)
resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1 + SPARE,) * 2)
host.open(StreamSpec("first", "/nowhere.ts", session="x"))
assert host.pid("first")
for stream in ("camera", "recording"):
    held = os.listdir("/proc/self/fd")
    live = stream == "camera"
    host.open(StreamSpec(stream, "/nowhere.ts", session="" if live else "x", live=live))
    host.request(stream)
    assert host.pid(stream) is None
    (chunk,) = host.wait(0)
    for entry in chunk.entries:
        print(type(entry).__name__, entry.stream, entry.detail)
    assert os.listdir("/proc/self/fd") == held
host.close()
"""


def test_a_stream_for_which_there_are_none_left_says_so_and_costs_no_other_one() -> None:
    done = subprocess.run([sys.executable, "-c", CROWDED], check=True, capture_output=True)
    trouble, *faults, end = done.stdout.decode().splitlines()
    assert trouble.startswith("Trouble camera no decode process could be started: each takes 3 ")
    assert trouble.endswith("raise the hard limit (ulimit -Hn), or give the job more engines")
    assert [fault.split()[:2] for fault in faults] == [["Fault", "recording"]] * 3
    assert end.startswith("End recording no decode process could be started")
