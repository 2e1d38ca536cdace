"""Commits without transactions: nothing is missing, and what comes again has its id."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise

import pytest

from pipeline.errors import FencedError
from pipeline.records.commit import Commit
from pipeline.sinks.kafka import watch
from pipeline.sinks.sink import Receipt
from pipeline.sinks.uri import open_reader, open_sink
from tests.plain_consumer import consumed

pytestmark = pytest.mark.needs_kafka

JOB = "feedfacecafe"
RECORDS = 10  # of a commit


@pytest.fixture(params=["kafka-python", "confluent"])
def settings(request):
    return {"attempt_s": 5, "delivery": "ids", "client": request.param}


@pytest.fixture
def new_sink(kafka_uri, settings):
    """Opens sinks that are closed at the end."""
    opened = []

    def new():
        opened.append(open_sink(kafka_uri, settings=settings))
        return opened[-1]

    yield new
    for sink in opened:
        sink.close()


WRITER = """
import json, sys
from dataclasses import replace
from pipeline.records.commit import Commit
from pipeline.records.record import Message
from pipeline.sinks.uri import open_sink
sink = open_sink(sys.argv[1], settings=json.loads(sys.argv[2]))
progress = sink.claim({"s": "feedfacecafe"})["s"]
while True:
    progress = replace(progress, sequence=progress.sequence + 1, position=str(progress.sequence))
    headers = [{"ce_id": f"{progress.sequence}.{number}"} for number in range(10)]
    messages = [Message("action", "s", ids, ids["ce_id"].encode()) for ids in headers]
    sink.commit([Commit(messages, progress)])
    print(progress.sequence, flush=True)
"""


def test_after_a_kill_the_tail_comes_again_under_its_ids(kafka_uri, settings, new_sink):
    """kill -9 in the middle of commits, three times; each run goes on behind the last progress."""
    told = 0
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, kafka_uri, json.dumps(settings)],
            stdout=subprocess.PIPE,
            text=True,
        )
        first = told
        while told < first + 10:
            told = int(child.stdout.readline())
        child.kill()
        child.wait()
        child.stdout.close()
        sink = new_sink()
        standing = sink.claim({"s": JOB})["s"].sequence
        sink.close()
        assert standing >= told, "what was confirmed counts"
        told = standing
    records = consumed(kafka_uri, committed=False)
    found = [dict(record.headers)["ce_id"].decode() for record in records]
    wanted = [f"{n}.{i}" for n in range(1, told + 1) for i in range(RECORDS)]
    assert [record.value.decode() for record in records] == found, "equal id, equal payload"
    assert list(dict.fromkeys(found))[: len(wanted)] == wanted, "all of it, in order"
    commits = [int(one.partition(".")[0]) for one in found]
    assert all(new >= old - 1 for old, new in pairwise(commits)), "one commit again at most"
    once = [r.message.id for r in open_reader(kafka_uri).records(["action"])]
    assert once == list(dict.fromkeys(found))


def test_progress_is_never_there_before_its_records(new_sink, kafka_uri, build, monkeypatch):
    """The first try ends behind the records; the second writes them again, and progress."""
    sink = new_sink()
    progress = build.after(sink.claim({"cam1": JOB})["cam1"])
    writer = sink._writer
    write = type(writer).write

    def fails_at_first(self, groups, deadline, **more):
        write(self, [groups[0], None] if self is writer else groups, deadline, **more)

    monkeypatch.setattr(type(writer), "write", fails_at_first)
    assert sink.commit([Commit([build.message(0)], progress)]) == Receipt(written=1)
    assert sink._writer is not writer
    assert [record.value for record in consumed(kafka_uri, committed=False)] == [
        b'{"number":0}'
    ] * 2
    assert len(consumed(kafka_uri, "progress", committed=False)) == 1
    assert len(list(open_reader(kafka_uri).records(["action"]))) == 1


def test_who_was_replaced_hears_of_it(new_sink, kafka_uri, build, monkeypatch):
    """No broker refuses it, so it looks at the claims from time to time; until then no reader
    believes it."""
    before, after = new_sink(), new_sink()
    old = build.after(before.claim({"cam1": JOB})["cam1"])
    new = build.after(after.claim({"cam1": JOB})["cam1"])
    assert after.commit([Commit([build.message(0, epoch=2)], new)]) == Receipt(written=1)
    assert before.commit([Commit([build.message(1, epoch=1)], old)]) == Receipt(written=1)
    reader = open_reader(kafka_uri)
    assert [r.message.value for r in reader.records(["action"])] == [b'{"number":0}']
    assert [(p.epoch, p.sequence) for p in reader.progress(JOB)] == [(2, 1)]
    monkeypatch.setattr(watch, "LOOK_S", 0.0)
    with pytest.raises(FencedError, match="epoch 2, this one is 1"):
        before.commit([Commit([build.message(2, epoch=1)], build.after(old))])
    assert after.commit([Commit([build.message(3, epoch=2)], build.after(new))]) == (
        Receipt(written=1)
    )


def test_a_stream_that_ended_is_done(new_sink, kafka_uri, build):
    sink = new_sink()
    progress = build.after(sink.claim({"cam1": JOB})["cam1"], status="ok")
    sink.commit([Commit([build.message(0)], progress)])
    assert new_sink().claim({"cam1": JOB})["cam1"].done
    assert consumed(kafka_uri, "progress", committed=False)[-1].value is None
