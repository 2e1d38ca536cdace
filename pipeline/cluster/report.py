"""Clusters as files, numbered from 1: what each is, and which frames are in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from operators.errors import UsageError
from operators.moment import rfc3339
from operators.whole_file import whole_file
from pipeline.cluster.clustering import Cluster, Clustering
from pipeline.vectors.pool import Pool

FORMAT = 1
CLUSTERS, MEMBERS = "clusters.json", "members.jsonl"


def clusters_json(pool: Pool, found: Clustering, *, seed: int) -> dict[str, Any]:
    """All that is said of the clusters, as JSON values."""
    choice = found.choice
    return {
        "format": FORMAT,
        "sink": pool.head.sink,
        "model": pool.head.model,
        "variants": sorted({row.series.variant for row in pool.rows}),
        "marks": list(pool.head.marks),
        "frames": len(pool),
        "k": len(found.clusters),
        "chosen_by": choice and {"silhouettes": choice.silhouettes, "frames": choice.rows},
        "seed": seed,
        "clusters": [
            {"cluster": number, **_cluster_json(pool, one)}
            for number, one in enumerate(found.clusters, start=1)
        ],
    }


def write_clusters(folder: Path, pool: Pool, found: Clustering, said: Mapping[str, Any]) -> None:
    """`clusters.json`, and `members.jsonl`: a line per frame. Other files of the folder stay.

    Args:
        folder: made where it is missing.
        pool: the frames.
        found: their clusters.
        said: from `clusters_json`.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / MEMBERS, (json.dumps(line) for line in _members(pool, found)))
        _write(folder / CLUSTERS, [json.dumps(said, indent=1)])
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror or error}") from None


def _members(pool: Pool, found: Clustering) -> Iterable[dict[str, Any]]:
    numbers = zip(pool.rows, found.labels.tolist(), found.closeness.tolist(), strict=True)
    for row, label, closeness in numbers:
        yield {
            "id": row.id,
            "stream": row.series.stream,
            "time": rfc3339(row.time_us),
            "cluster": label + 1,
            "cosine": round(closeness, 4),
        }


def _cluster_json(pool: Pool, one: Cluster) -> dict[str, Any]:
    return {
        "frames": one.size,
        "share": round(one.share, 6),
        "closeness": round(one.closeness, 4),
        "medoid": _frame(pool, one.medoid),
        "first": _frame(pool, one.first),
        "last": _frame(pool, one.last),
        "streams": one.streams,
        "hours": [
            {"hour": rfc3339(hour.begin_us), "frames": hour.frames, "share": round(hour.share, 6)}
            for hour in one.hours
        ],
    }


def _frame(pool: Pool, number: int) -> dict[str, Any]:
    row = pool.rows[number]
    return {"id": row.id, "stream": row.series.stream, "time": rfc3339(row.time_us)}


def _write(path: Path, lines: Iterable[str]) -> None:
    with whole_file(path) as draft, draft.open("w") as file:
        file.writelines(f"{line}\n" for line in lines)
