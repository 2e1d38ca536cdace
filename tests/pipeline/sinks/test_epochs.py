"""Two live incarnations of a stream's writer, whose claims and commits interleave at random."""

from __future__ import annotations

import pytest

from benchmarks.broker_trial.epochs import INTERLEAVINGS, interleave, kept, traces
from pipeline.sinks.uri import open_reader, open_sink


def hold(uri, seeds, **settings):
    def new_sink():
        return open_sink(uri, settings=settings)

    refused = [interleave(new_sink, f"stream-{seed}", seed) for seed in seeds]
    reader = open_reader(uri)
    found = traces(reader)
    reader.close()
    assert {stream: trace for stream, trace in found.items() if not kept(trace)} == {}
    assert len(found) == len(seeds)
    assert sum(refused) > 0, "an older one has tried"


@pytest.mark.slow
def test_two_hundred_interleavings_on_sqlite(tmp_path):
    hold(f"sqlite:{tmp_path}/epochs.db", range(INTERLEAVINGS))


@pytest.mark.slow
@pytest.mark.needs_kafka
def test_some_of_them_on_kafka(kafka_uri):
    """All of them: `python -m benchmarks.broker_trial epochs`."""
    hold(kafka_uri, range(2), attempt_s=30)


@pytest.mark.parametrize(
    "trace", [[(2, 1), (1, 2)], [(1, 1), (1, 1)], [(1, 1), (2, 3)]], ids=["older", "twice", "gap"]
)
def test_what_is_broken_is_seen(trace):
    assert not kept(trace)
