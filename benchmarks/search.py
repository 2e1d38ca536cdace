"""How fast vectors are gathered and searched, and beside that what an index of another kind takes.

    python -m benchmarks.search [--rows 1000000] [--dimension 384] [--gather 100000]
        [--library faiss] [--library usearch]

Vectors are drawn: half of them without any order, half around 2,000 centres, as footage is. With
`--library` an index of faiss or usearch is built of the same vectors, and its ten nearest are held
against the exact ones.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.moment import rfc3339
from pipeline.records.record import Message
from pipeline.search.episode import episodes
from pipeline.search.sink_table import gathered
from pipeline.sinks.sqlite.sink import SqliteSink
from pipeline.vectors.choice import EVERY
from pipeline.vectors.nearest import cosines, nearest
from pipeline.vectors.row import Row, Series
from pipeline.vectors.table import Table
from pipeline.vectors.writer import TableWriter

BLOCK, CENTRES, QUERIES, NEAREST = 8192, 2000, 64, 10
WANTED = 0.98  # of the ten nearest
STREAMS = 16
Halves = NDArray[np.float16]


def drawn(rows: int, dimension: int, seed: int = 0) -> Iterator[NDArray[np.float32]]:
    """Blocks of vectors of length one, odd rows around centres."""
    draw = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((CENTRES, dimension), np.float32)
    for first in range(0, rows, BLOCK):
        block = draw.standard_normal((min(BLOCK, rows - first), dimension), np.float32)
        near = centres[draw.integers(0, CENTRES, len(block[1::2]))]
        block[1::2] = near + 0.5 * block[1::2]
        yield block / np.linalg.norm(block, axis=1, keepdims=True)


def written(folder: Path, rows: int, dimension: int) -> Table:
    """A table of such vectors, a frame every fifth of a second of each of some streams."""
    writer = TableWriter(folder, sink="drawn", choice={})
    series = [Series(f"cam{n}", "b1b2c3d4e5f6", "0a1b2c3d4e5f") for n in range(STREAMS)]
    number = 0
    for block in drawn(rows, dimension):
        numbers = range(number, number + len(block))
        own = [Row(series[n % STREAMS], str(n), n // STREAMS * 200_000) for n in numbers]
        writer.append(own, block, model="drawn", offsets={("embedding", 0): number})
        number += len(block)
    writer.close()
    return Table(folder)


def filled(path: Path, rows: int, dimension: int) -> None:
    """A database of embeddings."""
    sink, number = SqliteSink(path), 0
    for block in drawn(rows, dimension):
        messages = []
        for vector in block:
            stream, position = f"cam{number % STREAMS}", str(number)
            headers = {
                "content-type": "application/octet-stream",
                "ce_id": f"embedding/{stream}/b1b2c3d4e5f6/{position}/0a1b2c3d4e5f",
                "ce_type": "dinostream.embedding.v1",
                "ce_source": f"/streams/{stream}",
                "ce_specversion": "1.0",
                "ce_streamid": stream,
                "ce_session": "b1b2c3d4e5f6",
                "ce_variant": "0a1b2c3d4e5f",
                "ce_model": "dinov2_vits14-b938bf1bc15c",
                "ce_time": rfc3339(number // STREAMS * 200_000),
                "ce_ingesttime": rfc3339(1_795_000_000_000_000),
                "ce_dim": str(dimension),
            }
            messages.append(Message("embedding", stream, headers, vector.tobytes()))
            number += 1
        sink.publish(messages)
    sink.close()


def seconds(work: Callable[[], Any], times: int = 5) -> list[float]:
    """Medians of some runs: what a clock says, and of how many seconds of how many cores that was,
    which a busy machine changes little."""
    taken = []
    for _ in range(times):
        began, began_cpu = time.perf_counter(), time.process_time()
        work()
        taken.append((time.perf_counter() - began, time.process_time() - began_cpu))
    return [round(statistics.median(one), 4) for one in zip(*taken, strict=True)]


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def measured_exact(folder: Path, rows: int, dimension: int) -> dict[str, Any]:
    writing = seconds(lambda: written(folder, rows, dimension), times=1)
    table = Table(folder)
    (query,) = next(drawn(1, dimension, seed=5)).astype(np.float16)
    every = table.chosen(EVERY)
    scores = cosines(table.matrix, query)
    return {
        "drawn_and_written": writing,
        "cosines": seconds(lambda: cosines(table.matrix, query)),
        "episodes": seconds(lambda: episodes(table, scores, every, apart_us=10_000_000, most=10)),
        "size_mib": sum(one.stat().st_size for one in folder.iterdir()) / 2**20,
        "peak_mib": peak_mib(),
    }


def measured_gathering(folder: Path, rows: int, dimension: int) -> dict[str, Any]:
    filled(folder / "results.db", rows, dimension)
    sink, own = f"sqlite:{folder / 'results.db'}", folder / "gathered"
    taken = seconds(lambda: gathered(sink, own, EVERY), times=1)
    return {"gathered": taken, "per_s": [round(rows / one) for one in taken]}


@dataclass(frozen=True, slots=True)
class Built:
    """An index of another kind.

    Attributes:
        find: queries `[Q, D]` and how hard to look -> rows `[Q, 10]`.
        efforts: how hard it can look, the easiest first.
        file: where it lies.
    """

    find: Callable[[Halves, int], NDArray[Any]]
    efforts: Sequence[int]
    file: Path


def measured_library(
    build: Callable[[Halves], Built], table: Table, queries: Halves, exact: NDArray[np.int64]
) -> dict[str, Any]:
    """What it takes, and at which effort the ten nearest are found: of queries without any order,
    and of those around centres.

    Args:
        build: a matrix -> an index.
        table: of vectors.
        queries: `[Q, D]`.
        exact: int64 `[Q, 10]`.
    """
    before_mib, made = resident_mib(), []
    building = seconds(lambda: made.append(build(table.matrix)), times=1)
    (built,), memory_mib = made, resident_mib() - before_mib
    efforts = []
    for effort in built.efforts:
        rows = built.find(queries, effort)
        pairs = zip(rows.tolist(), exact.tolist(), strict=True)
        shares = [len({*one} & {*wanted}) / NEAREST for one, wanted in pairs]
        recall = [round(statistics.mean(shares[half::2]), 4) for half in (0, 1)]
        took = seconds(lambda effort=effort: built.find(queries[:1], effort))
        efforts.append({"effort": effort, "recall_at_10": recall, "query": took})
        if min(recall) >= WANTED:
            break
    size_mib = built.file.stat().st_size / 2**20
    return {"built": building, "memory_mib": memory_mib, "size_mib": size_mib, "looks": efforts}


def faiss_ivf(folder: Path) -> Callable[[Halves], Built]:
    """Cells of k-means with halves in them, of which some are looked through."""
    import faiss

    def build(matrix: Halves) -> Built:
        cells = int(len(matrix) ** 0.5)
        kind = f"IVF{cells},SQfp16"
        index = faiss.index_factory(matrix.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
        index.train(matrix[:: max(1, len(matrix) // (40 * cells))].astype(np.float32))
        for first in range(0, len(matrix), BLOCK):
            index.add(matrix[first : first + BLOCK].astype(np.float32))
        faiss.write_index(index, str(folder / "faiss"))

        def find(asked: Halves, effort: int) -> NDArray[Any]:
            faiss.extract_index_ivf(index).nprobe = effort
            found: NDArray[Any] = index.search(asked.astype(np.float32), NEAREST)[1]
            return found

        return Built(find, [cells // part for part in (32, 16, 8, 4, 2, 1)], folder / "faiss")

    return build


def usearch_hnsw(folder: Path) -> Callable[[Halves], Built]:
    """A graph of neighbours over halves."""
    from usearch.index import Index

    def build(matrix: Halves) -> Built:
        index = Index(ndim=matrix.shape[1], metric="ip", dtype="f16", connectivity=16)
        for first in range(0, len(matrix), BLOCK):
            block = np.ascontiguousarray(matrix[first : first + BLOCK])
            index.add(np.arange(first, first + len(block)), block, threads=2)
        index.save(str(folder / "usearch"))

        def find(asked: Halves, effort: int) -> NDArray[Any]:
            index.expansion_search = effort
            return np.atleast_2d(index.search(asked, NEAREST).keys)

        return Built(find, (64, 256, 1024, 4096), folder / "usearch")

    return build


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--gather", type=int, default=100_000, help="rows of a database")
    parser.add_argument("--library", choices=["faiss", "usearch"], action="append", default=[])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dinostream-") as name:
        folder, own = Path(name), Path(name) / "vectors"
        told: dict[str, Any] = {"exact": measured_exact(own, given.rows, given.dimension)}
        print(json.dumps(told), flush=True)
        told["gather"] = measured_gathering(folder, given.gather, given.dimension)
        print(json.dumps(told["gather"]), flush=True)
        table = Table(own)
        queries = next(drawn(QUERIES, given.dimension, seed=5)).astype(np.float16)
        exact = nearest(table.matrix, queries, NEAREST).rows if given.library else np.empty(0)
        for name in given.library:
            make = {"faiss": faiss_ivf, "usearch": usearch_hnsw}[name]
            said = measured_library(make(folder), table, queries, exact)
            print(json.dumps({name: said}), flush=True)


if __name__ == "__main__":
    main()
