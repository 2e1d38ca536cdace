"""One writer per stream on a real broker: whoever claimed last, whatever the others do."""

from __future__ import annotations

import heapq
import json
import random
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace

import pytest
from kafka import KafkaConsumer

from pipeline.errors import FencedError, SinkError
from pipeline.records.commit import Commit
from pipeline.records.message import progress_message
from pipeline.records.record import Message
from pipeline.sinks.address import parse_sink_uri
from pipeline.sinks.kafka import claims as kafka_claims
from pipeline.sinks.kafka.deadline import Deadline
from pipeline.sinks.kafka.producer import PythonWriter, append
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.sinks.sink import Receipt
from pipeline.sinks.uri import create_topics, open_reader, open_sink
from pipeline.stream.progress import Progress
from tests.plain_consumer import consumed

pytestmark = pytest.mark.needs_kafka

JOB, OTHER = "feedfacecafe", "0ddba11c0ffe"
SETTINGS = {"attempt_s": 15}
TRY_S = 0.3


@pytest.fixture
def new_sink(kafka_uri):
    """Opens sinks that are closed at the end, fenced or not."""
    opened = []

    def new():
        opened.append(open_sink(kafka_uri, settings=SETTINGS))
        return opened[-1]

    yield new
    for sink in opened:
        sink.close()


def written(uri, stream):
    """(epoch, sequence) of a stream's commits, as `record_of` says them."""
    mine = [record for record in consumed(uri) if record.key == stream.encode()]
    return [tuple(json.loads(record.value)) for record in mine]


def assert_one_writer_at_a_time(uri, streams):
    """Commits of each stream in order, each once, and no older writer behind a newer one."""
    for stream in streams:
        found = written(uri, stream)
        assert [epoch for epoch, _ in found] == sorted(epoch for epoch, _ in found)
        assert [sequence for _, sequence in found] == list(range(1, len(found) + 1))


def record_of(progress):
    headers = {"ce_id": f"{progress.stream}.{progress.sequence}"}
    value = json.dumps([progress.epoch, progress.sequence]).encode()
    return Message("action", progress.stream, headers, value)


def step(sink, progress):
    """The next commit of a stream, with one record that says who made it."""
    progress = replace(progress, sequence=progress.sequence + 1)
    assert sink.commit([Commit([record_of(progress)], progress)]) == Receipt(written=1)
    return progress


def test_a_dead_writers_streams_are_resumed_unless_somebody_has_claimed_them(new_sink, kafka_uri):
    """Under their epoch, and not for longer than that: who claims others lets go of them."""
    dead, other, heir = new_sink(), new_sink(), new_sink()
    held = dead.claim({"cam1": JOB, "cam2": JOB})
    first = step(dead, held["cam1"])
    other.claim({"cam2": OTHER})
    unknown = Progress(JOB, "cam3", epoch=1)
    assert heir.resume([*held.values(), unknown]) == {"cam1": first}
    with pytest.raises(FencedError):
        step(dead, first)
    second = step(heir, first)
    late = replace(second, sequence=5)
    with pytest.raises(SinkError, match="commit 5 follows 2; those between are missing"):
        heir.commit([Commit((record_of(late),), late)])
    heir.commit([Commit((record_of(late),), late, skips=2)])
    assert written(kafka_uri, "cam1") == [(1, 1), (1, 2), (1, 5)]
    mine = heir.claim({"cam4": JOB})["cam4"]
    other.claim({"cam1": JOB})
    step(heir, mine)


def test_the_last_claim_counts_whatever_the_job(new_sink, kafka_uri):
    """A camera more is another list of streams, other settings are another job."""
    before, after = new_sink(), new_sink()
    old = before.claim({"cam1": JOB, "cam2": JOB})
    old = {stream: step(before, progress) for stream, progress in old.items()}
    new = after.claim({"cam1": JOB, "cam2": OTHER, "cam3": JOB})
    assert {stream: (p.epoch, p.sequence) for stream, p in new.items()} == {
        "cam1": (2, 1),
        "cam2": (2, 0),
        "cam3": (1, 0),
    }
    for stream in ("cam1", "cam2"):
        with pytest.raises(FencedError, match=r"epoch 2, this one is 1\), and this one stops"):
            step(before, old[stream])
    step(after, new["cam1"])
    assert written(kafka_uri, "cam1") == [(1, 1), (2, 2)]
    assert written(kafka_uri, "cam2") == [(1, 1)]


WRITER = """
import json, sys
from dataclasses import replace
from pipeline.errors import FencedError
from pipeline.records.commit import Commit
from pipeline.records.record import Message
from pipeline.sinks.uri import open_sink

sink = open_sink(sys.argv[1], settings=json.loads(sys.argv[2]))
standing = sink.claim(dict.fromkeys(sys.argv[3:], "feedfacecafe"))
try:
    while True:
        for stream, progress in standing.items():
            standing[stream] = progress = replace(progress, sequence=progress.sequence + 1)
            value = json.dumps([progress.epoch, progress.sequence]).encode()
            headers = {"ce_id": f"{stream}.{progress.sequence}"}
            sink.commit([Commit([Message("action", stream, headers, value)], progress)])
            print(progress.sequence, flush=True)
except FencedError as error:
    print(error, flush=True)
"""


def writer(uri, client, *streams):
    settings = json.dumps({**SETTINGS, "client": client})
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, uri, settings, *streams],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_fewer_engines_while_the_old_ones_live(new_sink, kafka_uri):
    """Two engines, then one that takes both streams: one of the old is at work, one is frozen in
    the middle of something and thaws when it is all over. Each has another client."""
    engines = [writer(kafka_uri, "kafka-python", "a"), writer(kafka_uri, "confluent", "b")]
    for engine in engines:
        while int(engine.stdout.readline()) < 5:
            pass
    engines[1].send_signal(signal.SIGSTOP)
    sink = new_sink()
    standing = sink.claim({"a": JOB, "b": JOB})
    for _ in range(5):
        standing = {stream: step(sink, progress) for stream, progress in standing.items()}
    engines[1].send_signal(signal.SIGCONT)
    for stream, engine in zip("ab", engines, strict=True):
        *_, last = engine.communicate(timeout=60)[0].splitlines()
        assert f"stream {stream}: another writer has taken it over (epoch 2, this one is 1)" in last
    assert_one_writer_at_a_time(kafka_uri, "ab")
    for stream, progress in standing.items():
        assert written(kafka_uri, stream)[-1] == (2, progress.sequence)


def test_many_claimants_at_once(new_sink, kafka_uri, monkeypatch):
    monkeypatch.setattr(kafka_claims, "MARKS", 2)  # so that a claim is two transactions
    streams = ("a", "b", "c")
    sinks = [new_sink() for _ in range(3)]
    held = [{} for _ in sinks]
    failures = []

    def work(index):
        sink, dice = sinks[index], random.Random(index)
        try:
            for _ in range(2):
                own = dict.fromkeys(dice.sample(streams, 3), JOB)
                held[index] = sink.claim(own)
                try:
                    for _ in range(dice.randint(1, 4)):
                        for stream in own:
                            held[index][stream] = step(sink, held[index][stream])
                except FencedError:
                    held[index] = {}
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(sinks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    going_on = []
    for sink, standing in zip(sinks, held, strict=True):
        with suppress(FencedError):
            going_on += [step(sink, progress).stream for progress in standing.values()]
    assert sorted(going_on) == sorted(streams), "one of them goes on, and no other"
    assert_one_writer_at_a_time(kafka_uri, streams)


def test_claimants_that_come_back_together_all_get_through():
    """Sixty-four of them, as after a restart of the broker: each try takes 0.3 s, and whoever
    begins ends the one that is at it."""
    rng = random.Random(7)
    contention = [kafka_claims.Contention(rng) for _ in range(64)]
    waiting = [(rng.uniform(0, TRY_S), claimant) for claimant in range(64)]
    now_s, at_it = 0.0, None
    while waiting:
        heapq.heapify(waiting)
        next_s, claimant = heapq.heappop(waiting)
        if at_it and at_it[0] + TRY_S > next_s:
            began_s, loser = at_it
            pause_s = contention[loser].next_s(next_s - began_s)
            waiting.append((next_s + pause_s, loser))
        now_s, at_it = next_s, (next_s, claimant)
    assert now_s < 300


def once(monkeypatch, name, action):
    """Do something before a function of `kafka_claims` is called, the first time."""
    original = getattr(kafka_claims, name)
    armed = [True]

    def instead(*arguments):
        if armed:
            armed.clear()
            action()
        return original(*arguments)

    monkeypatch.setattr(kafka_claims, name, instead)


def test_a_claim_between_what_another_read_and_wrote(new_sink, kafka_uri, monkeypatch):
    """Only one of them is carried out; the other reads again and is the later one."""
    slow, quick = new_sink(), new_sink()
    claimed = {}
    once(monkeypatch, "_write", lambda: claimed.update(quick.claim({"a": JOB, "b": JOB})))
    late = slow.claim({"a": JOB, "c": JOB})
    assert claimed["a"].epoch == 1
    assert (late["a"].epoch, late["c"].epoch) == (2, 1)
    step(slow, late["a"])
    with pytest.raises(FencedError, match="stream a"):
        step(quick, claimed["a"])
    told = [record.key.decode() for record in consumed(kafka_uri, "claims")]
    assert told == [f"{JOB}/{stream}" for stream in ("a", "b", "a", "c", "a")]
    assert_one_writer_at_a_time(kafka_uri, "ab")


def test_a_holder_that_takes_its_streams_back_in_the_middle_of_a_claim(
    new_sink, kafka_uri, monkeypatch
):
    """It was fenced, nobody has claimed yet, so it goes on; what it commits then is not lost on the
    claimant."""
    holder, claimant = new_sink(), new_sink()
    standing = [holder.claim({"a": JOB})["a"]]
    standing.append(step(holder, standing[-1]))
    once(monkeypatch, "_alone", lambda: standing.append(step(holder, standing[-1])))
    taken = claimant.claim({"a": JOB})["a"]
    assert (taken.epoch, taken.sequence) == (2, 2)
    step(claimant, taken)
    with pytest.raises(FencedError):
        step(holder, standing[-1])
    assert_one_writer_at_a_time(kafka_uri, "a")


def test_a_claimant_that_died_over_its_claim_holds_up_nobody(new_sink, kafka_uri):
    settings = KafkaSettings.of(
        parse_sink_uri(kafka_uri), {**SETTINGS, "transaction_timeout_ms": 900_000}
    )
    create_topics(kafka_uri, settings=SETTINGS)
    dying = PythonWriter(settings, f"{settings.prefix}-claims", Deadline(20))
    dying._producer.begin_transaction()
    dying._producer.send(settings.topic("claims"), key=b"x/y", value=b"{}")
    dying._producer.flush()
    assert new_sink().claim({"a": JOB})["a"].epoch == 1
    dying.drop()


@pytest.mark.parametrize("topic", ["claims", "progress"])
def test_what_a_newer_version_wrote_is_never_taken_for_nothing(new_sink, kafka_uri, topic):
    """Whoever wrote it may hold the stream; other streams have nothing to do with it."""
    sink = new_sink()
    step(sink, sink.claim({"a": JOB, "b": JOB})["a"])
    sink._writer.drop()  # killed: what it wrote last is looked for
    newer = Message(topic, f"{JOB}/a", {"ce_id": "x"}, b'{"more": 1}')
    append(KafkaSettings.of(parse_sink_uri(kafka_uri), SETTINGS), [newer], Deadline(20))
    with pytest.raises(SinkError, match=r"cannot be read.*a newer dinostream wrote it"):
        new_sink().claim({"a": JOB})
    assert new_sink().claim({"b": JOB})["b"].epoch == 2


def test_topics_that_the_broker_does_not_list_at_the_moment_are_not_empty(new_sink, monkeypatch):
    """A broker that has just come back may list none; who claims waits until it does."""
    sink = new_sink()
    sink.claim({"a": JOB})
    sink.close()
    listed = KafkaConsumer.topics
    looks = []

    def nothing_at_first(consumer):
        looks.append(consumer)
        return set() if len(looks) == 1 else listed(consumer)

    monkeypatch.setattr(KafkaConsumer, "topics", nothing_at_first)
    assert new_sink().claim({"a": JOB})["a"].epoch == 2
    assert len(looks) > 1


def test_progress_of_a_version_without_claims_is_taken_over(new_sink, kafka_uri):
    """Epochs go on, or readers would take the new records for a replaced writer's."""
    create_topics(kafka_uri, settings=SETTINGS)
    before = [
        Progress(JOB, "a", sequence=7, epoch=4, position="9"),
        Progress(OTHER, "a", sequence=2, epoch=5, position="3", status="ok"),
        Progress(JOB, "b", sequence=1, epoch=1, position="1"),
    ]
    settings = KafkaSettings.of(parse_sink_uri(kafka_uri), SETTINGS)
    append(settings, [progress_message(progress) for progress in before], Deadline(20))
    assert list(open_reader(kafka_uri).progress(OTHER)) == [before[1]]

    sink = new_sink()
    taken = sink.claim({"a": JOB})["a"]
    assert taken == replace(before[0], epoch=6)
    step(sink, taken)
    assert new_sink().claim({"b": JOB})["b"] == replace(before[2], epoch=2)
    assert [(p.job, p.stream, p.epoch, p.sequence) for p in open_reader(kafka_uri).progress()] == [
        (OTHER, "a", 5, 2),
        (JOB, "a", 6, 8),
        (JOB, "b", 2, 1),
    ]
