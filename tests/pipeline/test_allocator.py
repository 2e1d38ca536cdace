"""Freed memory stays with the process: the kernel is asked for the same pages once."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
from pipeline.allocator import keep_freed_memory
{prepare}
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(200):
    b"x" * (8 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(prepare: str) -> int:
    program = PROGRAM.format(prepare=prepare)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these settings")
def test_memory_that_is_given_back_is_used_again() -> None:
    # 2048 pages of 4 KiB each time; glibc's own adaptation is held off by naming its default.
    fixed = "import ctypes; ctypes.CDLL(None).mallopt(-3, 128 << 10)"
    assert page_faults(fixed) > 20 * page_faults("keep_freed_memory()")
