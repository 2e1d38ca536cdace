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
