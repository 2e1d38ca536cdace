"""docs/subscribe.md: other teams' clients, as the page shows them, read a real broker rightly."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Timer

import pytest
from confluent_kafka import Producer

from pipeline.sinks.uri import create_topics

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "subscribe.md").read_text().partition("\n## Without our client\n")[2]
SNIPPETS = re.findall(r"^```(\w+)[^\n]*\n(.*?)^```", PAGE.partition("\n## ")[0], re.DOTALL | re.M)
JARS = Path(os.environ.get("KAFKA_JARS", ROOT / "deploy" / "kafka" / "jars"))
MODULES = os.environ.get("DINOSTREAM_NODE_MODULES", "")
PATIENCE_S = 120  # of a busy machine; a test that passes does not wait for it

pytestmark = [pytest.mark.slow, pytest.mark.needs_kafka]


def python(code, folder):
    (folder / "depth.py").write_text(code)
    return [sys.executable, "depth.py"]


def java(code, folder):
    (folder / "Depth.java").write_text(code)
    return ["java", "-cp", f"{JARS}/*", "Depth.java"]


def js(code, folder):
    if not (shutil.which("node") and Path(MODULES, "@platformatic/kafka").is_dir()):
        pytest.skip("no node with @platformatic/kafka; DINOSTREAM_NODE_MODULES names its folder")
    (folder / "node_modules").symlink_to(MODULES)
    (folder / "depth.mjs").write_text(code)
    return ["node", "depth.mjs"]


def sh(code, folder):
    if not (shutil.which("kcat") and shutil.which("jq")):
        pytest.skip("no kcat and jq")
    (folder / "depth.sh").write_text(code)
    return ["sh", "depth.sh"]


COMMANDS = {"python": python, "java": java, "js": js, "sh": sh}


@pytest.fixture
def published(kafka_uri, kafka_broker, build):
    """A topic with all that a careless reader would print, and what a careful one does."""
    topic = f"{kafka_uri.partition('topic_prefix=')[2]}.depth.summary"

    def summary(number, *, epoch=2, **more):
        said = {"unit": "m", "percentiles": {"50": number}, "grid": []}
        data = json.dumps(said).encode()
        message = build.message(number, topic="depth.summary", data=data, **more)
        return replace(message, headers={**message.headers, "ce_epoch": str(epoch)})

    create_topics(kafka_uri, names=["depth.summary"], partitions=1)
    producer = Producer({"bootstrap.servers": kafka_broker.server, "transactional.id": topic})
    producer.init_transactions(60)

    def send(*messages, commit=True):
        producer.begin_transaction()
        for one in messages:
            headers = {name: value.encode() for name, value in one.headers.items()}
            producer.produce(topic, one.value, key=one.key, headers=headers, partition=0)
        producer.flush(60)
        (producer.commit_transaction if commit else producer.abort_transaction)(60)

    first, second, last = summary(1), summary(2), summary(9)
    another = summary(3, epoch=1, session="0123456789ab")  # of another recording of that name
    send(first, first, second)
    send(summary(4), commit=False)
    send(summary(5, epoch=1), second, another)
    again = summary(1, epoch=3)  # the job was done afresh
    send(again, replace(last, headers={**last.headers, "ce_epoch": "3"}))
    return topic, [first.id, second.id, another.id, last.id]


@contextmanager
def running(command, folder):
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    timer = Timer(PATIENCE_S, os.killpg, (process.pid, 9))
    timer.start()
    try:
        yield process.stdout
    finally:
        timer.cancel()
        os.killpg(process.pid, 9)
        process.wait()
        process.stdout.close()


def test_the_page_shows_each_client_in_a_screen():
    assert [language for language, _ in SNIPPETS] == list(COMMANDS)
    assert max(len(code.splitlines()) for _, code in SNIPPETS) <= 25


@pytest.mark.parametrize(("language", "code"), SNIPPETS, ids=COMMANDS)
def test_it_reads_what_was_committed_once(language, code, published, kafka_broker, tmp_path):
    topic, expected = published
    for shown, real in (
        ("localhost:9092", kafka_broker.server),
        ("dinostream.depth.summary", topic),
        ("my-team", topic),
    ):
        assert shown in code or shown == "my-team"
        code = code.replace(shown, real)
    printed = []
    with running(COMMANDS[language](code, tmp_path), tmp_path) as lines:
        for line in lines:
            printed.append(line.split())
            if printed[-1][0] == expected[-1]:
                break
    assert [words[0] for words in printed] == expected
    assert all(re.fullmatch(r"[0-9-]+T[0-9:.]+Z", words[1]) for words in printed)
