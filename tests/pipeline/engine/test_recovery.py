"""What an earlier run has kept, at the start of the next: it is sent, or it is told why not."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from pipeline.engine.recovery import recover
from pipeline.errors import SinkAway, SinkError
from pipeline.records.commit import Commit, Link
from pipeline.records.record import Message
from pipeline.sinks.patient import PatientSink
from pipeline.sinks.spill.folder import TAKEOVER, SpillFolder
from pipeline.sinks.spill.lock import hold
from pipeline.stream.progress import Progress
from pipeline.testing import ListSink

URI = "kafka://b1:9092,b2:9092"
ENTRIES = 5


def folder_at(root, uri: str = URI, most_bytes: int = 1 << 30) -> SpillFolder:
    return SpillFolder.of(uri, str(root), most_bytes)


def left_behind(folder: SpillFolder) -> ListSink:
    """A sink that has none of what a dead run has kept for it."""
    sink = ListSink()
    claimed = sink.claim({"cam": "job"})["cam"]
    folder.make()
    spill = folder.begin()
    spill.append([commit(number, claimed) for number in range(1, ENTRIES + 1)])
    spill.close()
    return sink


def commit(number: int, claimed: Progress) -> Commit:
    place = {"session": "1", "position": str(number), "frames": number}
    message = Message("depth", "cam", {"ce_id": f"depth/cam/1/{number}/v"}, b"1")
    progress = replace(claimed, sequence=number, **place)
    return Commit((message,), progress, Link(number - 1, {}, {"depth": "depth"}))


def positions(sink: ListSink) -> list[str]:
    return [message.position for message in sink.messages if message.topic == "depth"]


def begin(folder: SpillFolder, sink: ListSink) -> None:
    """A run up to its first frame."""
    patient = PatientSink(sink)
    if spill := recover(folder, patient, lambda *_: None):
        spill.close()
    patient.claim({"cam": "job"})


ALL = [str(number) for number in range(1, ENTRIES + 1)]


def test_what_was_kept_is_sent_where_nothing_new_is_to_be_kept(tmp_path):
    sink = left_behind(folder_at(tmp_path))
    begin(folder_at(tmp_path, most_bytes=0), sink)
    assert positions(sink) == ALL


FULL = """
import resource, sys
from tests.pipeline.engine.test_recovery import begin, folder_at, left_behind, positions

folder = folder_at(sys.argv[1])
sink = left_behind(folder)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, -1))
begin(folder, sink)
print(*positions(sink))
"""


def test_what_was_kept_is_sent_from_a_disk_that_takes_nothing(tmp_path):
    done = subprocess.run([sys.executable, "-c", FULL, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ALL


def test_nothing_is_claimed_while_the_folder_cannot_be_read(tmp_path):
    folder = folder_at(tmp_path)
    folder.path.symlink_to(folder.path)
    with pytest.raises(SinkError, match=f"what was kept in {folder.path} cannot be sent"):
        begin(folder, ListSink())


def test_where_no_folder_can_be_made_nothing_is_kept_and_that_is_told(tmp_path, caplog):
    (tmp_path / "file").touch()
    folder = folder_at(tmp_path / "file")
    assert recover(folder, PatientSink(ListSink()), lambda *_: None) is None
    assert f"nothing can be kept in {folder.root}" in caplog.text


def test_what_waits_for_another_address_is_told_of_before_its_streams_are_claimed(tmp_path, caplog):
    old = folder_at(tmp_path)
    sink = left_behind(old)
    recover(folder_at(tmp_path, f"{URI},b3:9092", 0), PatientSink(sink), lambda *_: None)
    assert f"are kept in {old.path} for {old.sink}, and only a run with that" in caplog.text
    begin(old, sink)
    assert positions(sink) == ALL


def test_what_the_sink_refuses_for_good_is_named_with_its_folder(tmp_path, monkeypatch):
    folder = folder_at(tmp_path)
    sink = left_behind(folder)

    def refuse(commits):
        raise SinkError("its progress is too large")

    monkeypatch.setattr(sink, "commit", refuse)
    (log,) = folder.logs()
    with pytest.raises(SinkError, match=f"its progress is too large. It was kept in {log}, and"):
        begin(folder, sink)


def test_who_waits_for_another_process_says_so_once_and_can_be_stopped(tmp_path, caplog):
    folder = folder_at(tmp_path)
    patient, raised = PatientSink(left_behind(folder)), []

    def start() -> None:
        try:
            recover(folder, patient, lambda *_: None)
        except SinkAway as error:
            raised.append(error)

    other = hold(folder.path / TAKEOVER)
    run = threading.Thread(target=start)
    run.start()
    while "another process sends what was kept in" not in caplog.text:
        run.join(timeout=0.01)
        assert run.is_alive()
    patient.interrupt()
    run.join(timeout=60)
    assert raised
    assert caplog.text.count("another process sends") == 1
    os.close(other)


def test_who_is_to_stop_reads_no_long_log_and_leaves_it_as_it_is(tmp_path, caplog):
    folder = folder_at(tmp_path)
    sink = left_behind(folder)
    patient = PatientSink(sink)
    patient.interrupt()
    with pytest.raises(SinkAway, match="the run is to end"):
        recover(folder, patient, lambda *_: None)
    assert "MiB that were kept are read" in caplog.text
    begin(folder, sink)
    assert positions(sink) == ALL
