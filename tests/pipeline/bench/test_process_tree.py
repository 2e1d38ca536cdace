"""What a tree of real processes uses, seen from outside."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

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
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    tree = ProcessTree(stranger.pid)
    alone = ProcessTree(2**22 + 1)  # above the highest process id of Linux
    tree.sample(time.time_ns() // 1000)
    alone.sample(time.time_ns() // 1000)
    stranger.communicate(b"\n")
    assert tree.peak_bytes > 0
    assert alone.peak_bytes == 0


def test_a_name_may_hold_anything(tmp_path):
    folder = tmp_path / "77"
    folder.mkdir()
    numbers = ["0"] * 49
    numbers[10], numbers[11], numbers[18], numbers[20] = "150", "50", "9", "3"
    (folder / "stat").write_text(f"77 (a) S 1 (b)) S {' '.join(numbers)}\n")
    tree = ProcessTree(77, proc=tmp_path)
    tree.sample(0)
    assert tree.samples[0].cpu_s == pytest.approx(2.0)
    assert tree.peak_bytes == 3 * 4096


def test_cpu_time_between_two_moments_lies_on_straight_lines():
    tree = ProcessTree(1)
    tree.samples = [Sample(0, 1.0, 0), Sample(10, 3.0, 0), Sample(20, 4.0, 0)]
    assert tree.cpu_s(5, 15) == pytest.approx(1.5)
    assert tree.cpu_s(-5, 100) == pytest.approx(3.0)
    assert tree.cpu_s(10, 20) == pytest.approx(1.0)
