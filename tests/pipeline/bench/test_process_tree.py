"""What a tree of real processes uses, seen from outside."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys

import pytest

from operators.errors import UsageError
from pipeline.bench import tree as module
from pipeline.bench.tree import ProcessTree, Sample

CHILD = """
import time
while time.process_time() < 0.5:
    pass
print("done", flush=True)
input()
"""
PARENT = f"""
import subprocess, sys
held = bytearray(64 << 20)
held[::4096] = b"x" * len(held[::4096])
subprocess.Popen([sys.executable, "-c", {CHILD!r}])
input()
"""


def test_children_count_and_stay_counted_when_their_parent_dies():
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    tree = ProcessTree(process.pid)
    assert process.stdin
    assert process.stdout
    assert process.stdout.readline() == "done\n"
    tree.sample(1_000_000)
    process.kill()
    process.wait()
    tree.sample(2_000_000)
    orphaned = tree.samples[-1]
    process.stdin.close()
    process.stdout.read()  # until the orphan has ended, too
    process.stdout.close()
    tree.sample(3_000_000)

    assert tree.peak_bytes == tree.samples[0].memory_bytes > 64 << 20
    assert tree.samples[0].cpu_s >= 0.5
    assert orphaned.cpu_s >= tree.samples[0].cpu_s
    assert 0 < orphaned.memory_bytes < tree.peak_bytes
    assert tree.samples[-1].memory_bytes == 0
    assert tree.samples[-1].cpu_s >= orphaned.cpu_s  # the dead keep what they took


def test_others_do_not_count():
    strangers = [
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) for _ in range(2)
    ]
    trees = [ProcessTree(os.getpid()), *(ProcessTree(one.pid) for one in strangers)]
    for tree in trees:
        tree.sample(0)
    for one in strangers:
        one.communicate(b"\n")
    both, *alone = [tree.peak_bytes for tree in trees]
    assert min(alone) > 0
    assert sum(alone) < both


def test_without_psutil_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "psutil", None)
    with pytest.raises(UsageError, match=r"psutil, .* pip install '\.\[bench\]'"):
        runpy.run_path(module.__file__)


def test_cpu_time_between_two_moments_lies_on_straight_lines():
    tree = ProcessTree(os.getpid())
    tree.samples = [Sample(0, 1.0, 0), Sample(10, 3.0, 0), Sample(20, 4.0, 0)]
    assert tree.cpu_s(5, 15) == pytest.approx(1.5)
    assert tree.cpu_s(-5, 100) == pytest.approx(3.0)
    assert tree.cpu_s(10, 20) == pytest.approx(1.0)
