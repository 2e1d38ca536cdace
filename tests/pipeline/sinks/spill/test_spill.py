"""The log on disk: what is in it comes out whole and in order, or is told to be lost."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from pipeline.records.commit import Commit, Link
from pipeline.records.record import Message
from pipeline.sinks.spill import spill as log_of_one
from pipeline.sinks.spill.segment import HEADER_BYTES, scan
from pipeline.sinks.spill.spill import LOCK, Spill
from pipeline.stream.progress import Progress

ALL = 1 << 30


def commit(number: int, stream: str = "cam1", *, size: int = 30, **more) -> Commit:
    message = Message(
        "depth", stream, {"ce_id": f"{stream}/{number}"}, bytes([number % 256]) * size
    )
    progress = Progress("job", stream, sequence=number, epoch=3, frames=number)
    link = Link(number - 1, {"depth": {"sampled": number - 1}}, {"depth": "depth"})
    return Commit((message,), replace(progress, **more), link)


@pytest.fixture
def open_spill(tmp_path):
    """Opens the one log of a test; the one before is let go, as by a kill."""
    opened = []

    def open_spill(most_bytes: int = ALL) -> Spill:
        for spill in opened:
            spill.close()
        opened[:] = [Spill(tmp_path / "log", most_bytes=most_bytes, clock_us=lambda: 7)]
        return opened[0]

    yield open_spill
    for spill in opened:
        spill.close()


def test_what_goes_in_comes_out_in_order_over_a_restart(open_spill):
    spill = open_spill()
    commits = [commit(number, stream) for number in range(1, 9) for stream in ("a", "b")]
    spill.append(commits[:10])
    spill.append(commits[10:])
    assert spill.waiting().keys() == {"a", "b"}
    assert (spill.waiting()["a"].records, spill.waiting()["a"].oldest_us) == (8, 7)
    assert spill.take(ALL) == commits
    spill.give_back()
    again = open_spill()
    assert again.waiting() == spill.waiting()
    assert again.holders() == [Progress("job", "a", epoch=3), Progress("job", "b", epoch=3)]
    assert again.take(ALL) == commits


def test_what_is_sent_is_let_go_and_its_disk_with_it(open_spill):
    spill = open_spill()
    spill.append([commit(1), commit(2)], sent=1)
    assert spill.take(1) == [commit(2)]
    spill.append([commit(3)])
    spill.release()
    assert spill.take(ALL) == [commit(3)]
    spill.release()
    assert not spill.holds
    assert spill.waiting() == {}
    assert not list(spill.folder.glob("*.log"))
    spill.append([commit(4)])
    assert spill.take(ALL) == [commit(4)]


def test_at_most_so_many_bytes_are_taken_but_one_commit_at_least(open_spill):
    spill = open_spill()
    spill.append([commit(number, size=1000) for number in range(1, 7)])
    assert [one.progress.sequence for one in spill.take(4000)] == [1, 2]
    assert [one.progress.sequence for one in spill.take(1)] == [3]


def test_a_log_is_its_users_alone_and_of_one_process(open_spill):
    spill = open_spill()
    spill.append([commit(1)])
    assert spill.folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in spill.folder.iterdir()} == {0o600}
    with pytest.raises(BlockingIOError):
        Spill(spill.folder, most_bytes=ALL)


def test_a_log_that_is_empty_is_removed_when_it_is_closed(tmp_path):
    spill = Spill(tmp_path / "log", most_bytes=ALL)
    assert (spill.folder / LOCK).exists()
    spill.close()
    assert not spill.folder.exists()


def test_an_entry_that_is_torn_at_any_byte_is_cut_off_and_told(open_spill, caplog):
    spill = open_spill()
    spill.append([commit(1), commit(2)])
    (segment,) = spill.folder.glob("*.log")
    whole = segment.read_bytes()
    first, second = scan(segment)
    for end in range(second.offset + 1, len(whole)):
        caplog.clear()
        segment.write_bytes(whole[:end])
        spill = open_spill()
        assert spill.take(ALL) == [commit(1)]
        spill.give_back()
        assert f"its last {end - first.size} bytes are not whole" in caplog.text
        assert segment.read_bytes() == whole[: first.size]
        segment.write_bytes(whole)


def test_a_flipped_bit_costs_its_entry_or_what_is_behind_its_header(open_spill, caplog):
    spill = open_spill()
    spill.append([commit(number) for number in (1, 2, 3)])
    (segment,) = spill.folder.glob("*.log")
    whole = segment.read_bytes()
    _, second, _ = scan(segment)
    for place in range(second.offset, second.offset + second.size):
        caplog.clear()
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        segment.write_bytes(damaged)
        spill = open_spill()
        left = [commit(1)] if place - second.offset < HEADER_BYTES else [commit(1), commit(3)]
        assert spill.take(ALL) == left
        spill.give_back()
        assert f"what was kept at byte {second.offset} is LOST" in caplog.text


def test_what_is_damaged_or_removed_while_the_log_is_open_is_told(open_spill, caplog):
    spill = open_spill()
    spill.append([commit(1), commit(2)])
    (segment,) = spill.folder.glob("*.log")
    with segment.open("r+b") as file:
        file.seek(HEADER_BYTES + 1)
        file.write(b"?")
    assert spill.take(ALL) == [commit(2)]
    spill.give_back()
    segment.unlink()
    assert spill.take(ALL) == []
    assert caplog.text.count("LOST") == 3
    spill.release()
    assert not spill.holds


def test_an_entry_of_another_version_is_passed_over_and_told(open_spill, monkeypatch, caplog):
    spill = open_spill()
    spill.append([commit(1), commit(2)])
    monkeypatch.setattr(Progress, "from_json", lambda data: Progress(**data, more=1))
    assert open_spill().take(ALL) == []
    assert "another version of dinostream wrote it?" in caplog.text


def test_beyond_the_bound_the_oldest_go_but_nothing_that_is_on_its_way(open_spill, caplog):
    spill = open_spill(20_000)
    spill.append([commit(1, size=500)])
    assert spill.take(ALL) == [commit(1, size=500)]
    for number in range(2, 100):
        spill.append([commit(number, size=500)])
        disk = sum(path.stat().st_size for path in spill.folder.glob("*.log"))
        assert disk <= 20_000
    assert "the spill is full: the oldest" in caplog.text
    spill.release()
    left = [one.progress.sequence for one in spill.take(ALL)]
    assert left[:2] == [2, 3], "beside what was on its way"
    assert left[2:] == list(range(102 - len(left), 100))
    assert len(left) > 10
    assert spill.waiting()["cam1"].records == len(left)


def test_the_end_of_a_stream_outlives_the_bound(open_spill):
    spill = open_spill(20_000)
    spill.append([commit(1, "gone", status="stopped")])
    for number in range(1, 200):
        spill.append([commit(number, size=500)])
    ends = [one for one in spill.take(ALL) if one.progress.stream == "gone"]
    assert ends == [commit(1, "gone", status="stopped")]


def test_what_can_never_fit_is_refused_and_nothing_goes_for_it(open_spill):
    spill = open_spill(4000)
    few = [commit(number) for number in range(1, 7)]
    for one in few:
        spill.append([one])
    with pytest.raises(OSError, match="the spill takes 4000 bytes"):
        spill.append([commit(7, size=5000)])
    assert spill.take(ALL) == few


def test_a_segment_of_ends_alone_does_not_keep_the_others_from_going(open_spill):
    spill = open_spill(20_000)
    ends = [commit(1, f"gone{number}", status="stopped") for number in range(12)]
    spill.append(ends)
    for number in range(1, 100):
        spill.append([commit(number, size=500)])
    left = spill.take(ALL)
    assert [one for one in left if one.progress.stream != "cam1"] == ends
    assert left[-1] == commit(99, size=500)


def test_nothing_is_taken_out_of_a_segment_that_is_about_to_go(open_spill, monkeypatch):
    spill = open_spill(20_000)
    spill.append([commit(1, "gone", status="stopped")])
    sent = []
    taker = threading.Thread(target=lambda: sent.extend(spill.take(4000)))
    write = log_of_one.write

    def take_before(descriptor, data):
        if b'"gone"' in data:  # the end, which is kept anew
            taker.start()
            taker.join(timeout=0.1)
        write(descriptor, data)

    monkeypatch.setattr(log_of_one, "write", take_before)
    number = 0
    while taker.ident is None:
        number += 1
        spill.append([commit(number, size=500)])
    taker.join()
    spill.release()
    there = [one for one in (*sent, *spill.take(ALL)) if one.progress.stream == "cam1"]
    first = there[0].progress.sequence
    assert first > 1, "the segment went"
    assert [one.progress.sequence for one in there] == [*range(first, number + 1)]


def test_streams_that_are_given_up_go_and_the_others_stay(open_spill):
    spill = open_spill()
    commits = [commit(1, "a"), commit(1, "b"), commit(2, "a")]
    spill.append(commits)
    lost = spill.forsake({"a"})
    assert lost["a"].records == 2
    assert spill.waiting().keys() == {"b"}
    assert spill.take(ALL) == [commits[1]]
    assert open_spill().take(ALL) == commits, "the disk has them as long as their segment is there"


FULL = """
import resource, sys
from pathlib import Path
from tests.pipeline.sinks.spill.test_spill import ALL, commit
from pipeline.sinks.spill.spill import Spill

spill = Spill(Path(sys.argv[1]) / "log", most_bytes=ALL)
spill.append([commit(1)])
size = next(spill.folder.glob("*.log")).stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, -1))
try:
    spill.append([commit(2)])
except OSError as error:
    print(error)
assert next(spill.folder.glob("*.log")).stat().st_size == size
resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
spill.append([commit(3)])
assert spill.take(ALL) == [commit(1), commit(3)]
"""


def test_a_disk_that_is_full_takes_nothing_of_it(tmp_path):
    done = subprocess.run([sys.executable, "-c", FULL, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "File too large" in done.stdout


BUSY = """
import resource, sys
from pathlib import Path
from pipeline.errors import SinkError
from pipeline.sinks.spill.spill import Spill
from tests.pipeline.sinks.spill.test_spill import ALL, commit

spill = Spill(Path(sys.argv[1]) / "log", most_bytes=ALL)
spill.append([commit(1), commit(2)])
most, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
try:
    spill.take(ALL)
except SinkError as error:
    told = str(error)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
print(told)
assert spill.take(ALL) == [commit(1), commit(2)]
"""


def test_what_cannot_be_read_at_a_moment_is_not_lost(tmp_path):
    done = subprocess.run([sys.executable, "-c", BUSY, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "000000000001.log: what was kept cannot be read: Too many open files" in done.stdout
    assert "LOST" not in done.stderr
