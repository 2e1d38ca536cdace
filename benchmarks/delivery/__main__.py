"""What the Kafka sink costs beside bare clients, and `subscribe` beside a bare consumer.

    python -m benchmarks.delivery [--rounds 5] [--out results/delivery.json]

A real broker, one process, the same bytes, all ways in turns within a round; ratios are medians of
the rounds' own. Then what one commit asks of the broker, at two lengths of line. Needs
`confluent-kafka` (`pip install '.[confluent]'`) and what `deploy/kafka/broker.sh` needs.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections import defaultdict
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.delivery.broker import broker
from benchmarks.delivery.commits import commit_costs
from benchmarks.delivery.lap import Lap, row, timed
from benchmarks.delivery.load import LOADS, Load
from benchmarks.delivery.readers import by_bare_consumer, by_subscribe
from benchmarks.delivery.replay import replay_cost
from benchmarks.delivery.writers import BareConfluent, BareKafkaPython, OurSink
from pipeline.sinks.uri import create_topics

BESIDE = "kafka-python, bare sends"
Laps = dict[str, list[Lap]]


def write_in_turns(uri: str, load: Load, rounds: int, settings: dict[str, str]) -> Laps:
    """Each way into topics of its own, once without being counted."""
    many = load.records * load.faster
    messages = load.messages(many)
    few = messages[: load.records]
    where = [f"{uri}?topic_prefix={load.name.replace(' ', '')}-{way}" for way in "abcde"]
    for one in where:
        create_topics(one, settings={"attempt_s": 60}, names=[load.topic])
    ways = {
        BESIDE: (BareKafkaPython(where[0], few, settings), load.records),
        "our sink": (OurSink(where[1], load, load.records, settings), load.records),
        "our sink, client: confluent": (
            OurSink(where[4], load, load.records, settings | {"client": "confluent"}),
            load.records,
        ),
        "confluent-kafka, bare sends": (BareConfluent(where[2], messages, settings), many),
        "confluent-kafka, transactions": (
            BareConfluent(where[3], messages, settings, transactional_id="bare"),
            many,
        ),
    }
    laps: Laps = defaultdict(list)
    for number in range(rounds + 1):
        for name, (write, count) in ways.items():
            before = write.transactions
            lap = timed(write, count)
            if number:
                laps[name].append(replace(lap, transactions=write.transactions - before))
    for write, _ in ways.values():
        write.close()
    return laps


def read_in_turns(uri: str, load: Load, rounds: int) -> Laps:
    """What our sink wrote."""
    where = f"{uri}?topic_prefix={load.name.replace(' ', '')}-b"
    laps: Laps = defaultdict(list)
    for number in range(rounds + 1):
        for name, read in (("bare consumer", by_bare_consumer), ("subscribe", by_subscribe)):
            lap = timed(lambda r=read: r(where, load.topic, load.records), load.records)
            if number:
                laps[name].append(lap)
    return laps


def table(laps: Laps, beside: str, value_bytes: int) -> str:
    lines = [
        "| | records/s | MB/s | CPU, us a record | beside the bare one |",
        "|---|---|---|---|---|",
    ]
    return "\n".join(
        lines + [row(name, own, laps[beside], value_bytes) for name, own in laps.items()]
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compression", default="gzip")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    settings = {"compression": chosen.compression}
    found: dict[str, object] = {"load": os.getloadavg()[0], **settings}
    with (
        tempfile.TemporaryDirectory() as folder,
        broker(Path(folder) / "kafka") as (near, far, line),
    ):
        for load in LOADS:
            written = write_in_turns(near, load, chosen.rounds, settings)
            print(f"\nWriting, {load.name}\n\n{table(written, BESIDE, load.value_bytes)}")
            read = read_in_turns(near, load, chosen.rounds)
            print(f"\nReading, {load.name}\n\n{table(read, 'bare consumer', load.value_bytes)}")
            found[load.name] = {
                name: [asdict(lap) for lap in laps] for name, laps in (written | read).items()
            }
        costs = commit_costs(far, line)
        replay = replay_cost(f"{near}?topic_prefix=replay")
    print("\nOne commit of 16 records of 1 kB\n", *costs, sep="\n")
    print(f"\nA replay waits for its sink {replay}")
    found |= {"commits": [asdict(cost) for cost in costs], "replay": asdict(replay)}
    if chosen.out:
        chosen.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
