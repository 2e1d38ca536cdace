"""Where logs lie: by sink, each with its own, and those that nobody has open are found."""

from __future__ import annotations

import fcntl

import pytest

from pipeline.sinks.spill.folder import SINK, TAKEOVER, SpillFolder, default_folder, kept_bytes
from tests.pipeline.sinks.spill.test_spill import commit

URI = "kafka://b2:9092,b1:9092?topic_prefix=yard"
GIB = 1 << 30


def test_brokers_in_another_order_are_the_same_sink_and_a_prefix_makes_another(tmp_path):
    one = SpillFolder.of(URI, str(tmp_path), GIB)
    same = SpillFolder.of("kafka://b1:9092,b2:9092?topic_prefix=yard", str(tmp_path), GIB)
    other = SpillFolder.of("kafka://b1:9092,b2:9092", str(tmp_path), GIB)
    assert one == same
    assert one.path != other.path


def test_a_database_has_no_spill():
    assert SpillFolder.of("sqlite:results.db", None, GIB) is None


def test_what_says_which_sink_it_is_is_written_where_it_says_something_else(tmp_path):
    folder = SpillFolder.of(URI, str(tmp_path), GIB)
    folder.make()
    named = folder.path / SINK
    there = named.stat()
    folder.make()
    assert named.stat().st_mtime_ns == there.st_mtime_ns
    assert named.stat().st_ino == there.st_ino
    named.write_text("")
    folder.make()
    assert named.read_text() == f"{folder.sink}\n"
    assert list(folder.path.iterdir()) == [named]


def test_a_log_that_is_sent_while_somebody_looks_is_no_error(tmp_path):
    folder = SpillFolder.of(URI, str(tmp_path), GIB)
    folder.make()
    (folder.path / "log").mkdir()
    (folder.path / "log" / "1.log").symlink_to("gone")
    assert kept_bytes(folder.root) == {}
    assert kept_bytes(folder.root / "none") == {}


def test_what_a_log_was_left_with_is_found_when_nobody_has_it_open(tmp_path):
    folder = SpillFolder.of(URI, str(tmp_path / "spill"), GIB)
    folder.make()
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert folder.root.stat().st_mode & 0o777 == 0o700
    log, busy = folder.begin(), folder.begin()
    log.append([commit(1)])
    busy.append([commit(2)])
    assert list(folder.left()) == []
    log.close()
    with folder.taking_over(pytest.fail), (folder.path / TAKEOVER).open("a") as other:
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (left,) = folder.left()
        assert left.take(GIB) == [commit(1)]
    assert kept_bytes(folder.root).keys() == {"kafka://b1:9092,b2:9092?topic_prefix=yard"}
    left.release()
    left.close()
    busy.close()
    assert kept_bytes(folder.root).popitem()[1] > 0, "of the one that was busy"


def test_it_outlives_a_reboot(monkeypatch):
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/dinostream:/var/lib/more")
    assert str(default_folder()) == "/var/lib/dinostream/spill"
    monkeypatch.delenv("STATE_DIRECTORY")
    monkeypatch.setenv("XDG_STATE_HOME", "/home/me/state")
    assert str(default_folder()) == "/home/me/state/dinostream/spill"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert str(default_folder()) == "/home/me/.local/state/dinostream/spill"
