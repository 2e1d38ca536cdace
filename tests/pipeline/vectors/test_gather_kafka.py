"""Embeddings of a broker: a pass goes on where the last one ended, and repeats are left out."""

from __future__ import annotations

from contextlib import closing

import pytest

from pipeline.search.sink_table import gathered
from pipeline.sinks.uri import open_sink
from pipeline.vectors.choice import EVERY
from pipeline.vectors.table import Table
from tests.pipeline.vectors.conftest import directions

pytestmark = [pytest.mark.needs_kafka, pytest.mark.slow]


def test_a_topic_is_gathered_pass_after_pass(kafka_uri, archive, tmp_path):
    messages = [
        archive.embedding(n, one, stream)
        for stream in ("gate", "yard")
        for n, one in enumerate(directions(20))
    ]
    folder = tmp_path / "vectors"
    with closing(open_sink(kafka_uri)) as sink:
        sink.publish(messages[:30])
        first = gathered(kafka_uri, folder, EVERY)
        sink.publish(messages[25:])  # five of them again
        second = gathered(kafka_uri, folder, EVERY)
    assert (first.added, second.added, second.repeated) == (30, 10, 5)
    table = Table(folder)
    assert {table.row(n).id for n in range(len(table))} == {one.id for one in messages}
    assert gathered(kafka_uri, folder, EVERY).read == 0
