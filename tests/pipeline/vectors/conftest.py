"""Embeddings as jobs leave them in a sink, written by the real one, and tables of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from operators.moment import rfc3339
from pipeline.records.record import Message
from pipeline.sinks.sqlite.reader import SqliteReader
from pipeline.sinks.sqlite.sink import SqliteSink
from pipeline.vectors.choice import EVERY, Choice
from pipeline.vectors.gather import Gathering
from pipeline.vectors.table import Table
from pipeline.vectors.writer import TableWriter

VARIANT, MODEL, SESSION = "0a1b2c3d4e5f", "dinov2_vits14-b938bf1bc15c", "b1b2c3d4e5f6"


def directions(count: int, width: int = 32, seed: int = 0) -> NDArray[np.float32]:
    """Vectors of length one, `[count, width]`."""
    drawn = np.random.default_rng(seed).standard_normal((count, width))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


class Archive:
    """A database of embeddings, a frame each second.

    Attributes:
        path: of it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._sink = SqliteSink(path)

    def embedding(
        self,
        number: int,
        vector: NDArray[np.float32],
        stream: str = "gate",
        *,
        variant: str = VARIANT,
        model: str = MODEL,
        session: str = SESSION,
        **attributes: str,
    ) -> Message:
        """The record of a frame."""
        headers = {
            "content-type": "application/octet-stream",
            "ce_id": f"embedding/{stream}/{session}/{number}/{variant}",
            "ce_type": "dinostream.embedding.v1",
            "ce_streamid": stream,
            "ce_session": session,
            "ce_variant": variant,
            "ce_model": model,
            "ce_time": rfc3339(number * 1_000_000),
            "ce_dim": str(len(vector)),
            **{f"ce_{name}": text for name, text in attributes.items()},
        }
        return Message("embedding", stream, headers, vector.astype("<f4").tobytes())

    def write(self, *messages: Message) -> None:
        self._sink.publish(messages)

    def fill(self, vectors: NDArray[np.float32], stream: str = "gate", **how: Any) -> None:
        """A recording's embeddings, from its first frame on."""
        self.write(*[self.embedding(n, one, stream, **how) for n, one in enumerate(vectors)])

    def gather(self, folder: Path, choice: Choice = EVERY, **how: Any) -> Gathering:
        """One pass into a table."""
        writer = TableWriter(folder, sink="the sink", choice=choice.plain())
        with closing(SqliteReader(self.path)) as reader, closing(writer):
            gathering = Gathering(reader, writer, choice, name="the sink", **how)
            gathering.run()
        return gathering

    def close(self) -> None:
        self._sink.close()


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with closing(Archive(tmp_path / "results.db")) as archive:
        yield archive


@pytest.fixture
def table_of(tmp_path: Path, archive: Archive) -> Callable[..., Table]:
    """`table_of(gate=vectors, yard=vectors)`: a table of streams."""

    def make(**streams: NDArray[np.float32]) -> Table:
        for stream, vectors in streams.items():
            archive.fill(vectors, stream)
        archive.gather(tmp_path / "vectors")
        return Table(tmp_path / "vectors")

    return make
