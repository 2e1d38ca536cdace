"""One clip, said to begin at two times: no two records of one id differ, whichever operator's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from operators.registry import BUILDERS
from pipeline.records.topics import OF_EVERY_RUN, data_topics

ZONES = {
    "all": {"polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]},
    "middle": {"line": [[0.5, 0], [0.5, 1]]},
}
SETTINGS = {
    "segmentation": {"regions": 1, "min_share": 0.1},
    "classify": {"top": 2},
    "action": {"threshold": 0.3},
    "detect": {"threshold": 0.4},
    "zones": {"classes": ["step"], "min_s": 0, "min_share": 0.2},
    "track": {"sightings": 1},
    "tamper": {"learn_s": 0.4, "least_s": 0.2, "share": 0},
    "anomaly": {"threshold": 0},
}
TELL_TIMES = {"action", "tamper", "tamper.episodes", "tracks.zones", "unchanged", "shots"}
BEGINNINGS = ("2026-11-22T17:00:00Z", "2026-11-22T17:00:01Z")


@pytest.fixture(scope="module")
def sinks(tools, tmp_path_factory) -> list[dict]:
    """Of each beginning the records."""
    folder: Path = tmp_path_factory.mktemp("begun")
    stream = {"url": "synthetic:room?seed=1&seconds=2&fps=10&size=160x120", "zones": ZONES}
    # Every frame is like the one that was computed before it, until a second is over.
    stream |= {"gate": {"threshold": 255, "at_least_every_s": 0.3}, "shots": True}
    job = {"streams": {"room": stream}, "operators": {key: SETTINGS.get(key) for key in BUILDERS}}
    found = []
    for number, start_time in enumerate(BEGINNINGS):
        file, sink = folder / f"{number}.yaml", f"sqlite:{folder}/{number}.db"
        file.write_text(json.dumps(job | {"start_time": start_time}))
        tools.run_inline([], sink, file=file)
        found.append(tools.records(sink))
    return found


def test_equal_ids_are_equal_records(sinks) -> None:
    seen: dict[tuple[str, str], tuple] = {}
    for records in sinks:
        for key, record in records.items():
            if data_topics([key[0]]):  # our own books are no facts about footage
                assert seen.setdefault(key, record) == record, key


def test_all_that_tell_times_are_among_them(sinks) -> None:
    """The same records come of both, and the values that times are in are others."""
    first, second = (
        {(topic, place_of(identity)): value for (topic, identity), (_, value) in records.items()}
        for records in sinks
    )
    own = {key for key in first if key[0] not in (*OF_EVERY_RUN, "labels")}
    assert own <= second.keys()
    told = {key[0] for key in own if first[key] != second[key]}
    assert told >= TELL_TIMES
    assert not told & {"depth", "segmentation", "embedding", "pca", "frames", "detections"}


def place_of(identity: str) -> str:
    return identity.rpartition("/")[0]
