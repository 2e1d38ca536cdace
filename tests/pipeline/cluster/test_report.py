"""What lies in the files."""

import json

import numpy as np
import pytest

from operators.errors import UsageError
from pipeline.cluster.clustering import clustered
from pipeline.cluster.medoid_episode import medoid_episodes
from pipeline.cluster.report import clusters_json, write_clusters


@pytest.fixture
def pool(pooled):
    vectors = np.repeat(np.eye(3), [5, 3, 2], axis=0) + np.linspace(0, 0.1, 10)[:, None]
    return pooled(vectors, every_s=1800)


def test_clusters_and_members_are_files_that_agree(pool, tmp_path):
    found = clustered(pool, 3)
    said = clusters_json(pool, found, seed=0)
    write_clusters(tmp_path / "out", pool, found, said)
    read = json.loads((tmp_path / "out" / "clusters.json").read_text())
    assert read == json.loads(json.dumps(said))
    lines = (tmp_path / "out" / "members.jsonl").read_text().splitlines()
    members = [json.loads(line) for line in lines]
    assert [one["id"] for one in members] == [row.id for row in pool.rows]
    for one in read["clusters"]:
        own = [member for member in members if member["cluster"] == one["cluster"]]
        assert one["frames"] == len(own)
        assert one["first"]["id"] == own[0]["id"]
        assert one["last"]["id"] == own[-1]["id"]
        assert one["medoid"]["id"] in [member["id"] for member in own]
    assert (read["k"], read["frames"], read["chosen_by"]) == (3, 10, None)
    assert read["clusters"][0]["hours"][0] == {
        "hour": "1970-01-01T00:00:00.000000Z", "frames": 2, "share": 1.0,
    }  # fmt: skip
    assert clusters_json(pool, clustered(pool, None), seed=0)["chosen_by"]["frames"] == 10


def test_a_cluster_on_a_sheet_is_its_medoid_since_when_and_how_many(pool):
    found = clustered(pool, 3)
    first, *_ = medoid_episodes(pool, found)
    assert first.best == pool.rows[found.clusters[0].medoid]
    assert (first.hits, first.start_us, first.end_us) == (5, 0, 4 * 1_800_000_000)


def test_a_folder_that_cannot_be_is_named(pool, tmp_path):
    (tmp_path / "file").touch()
    found = clustered(pool, 3)
    with pytest.raises(UsageError, match=r"cannot write .*file"):
        write_clusters(tmp_path / "file", pool, found, {})
