"""The loop that a user would write for the same four outputs, with good libraries and no framework.

PyAV (threads AUTO), transformers' Dinov2Model (SDPA, float32), linear heads, PNG and JSON into
SQLite. Same weights, batch size and threads; every step the fast way that a good script knows.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from operators.backbones.architectures import architecture
from operators.backbones.random_weights import random_tensors
from operators.backbones.statistics import IMAGENET
from operators.bench.peer_model import peer_model
from pipeline.bench.peer_heads import PeerHeads, Row
from pipeline.bench.task import Task, Timing
from pipeline.media.frame_size import FrameSize
from pipeline.media.plain import plain_frames

Pictures = list[tuple[int, Image.Image]]


def run_plain(task: Task) -> Timing:
    """Do the whole clip.

    Raises:
        UsageError: transformers is not installed.
    """
    workload = task.workload
    torch.set_num_threads(workload.threads)
    arch = architecture(workload.model)
    model = peer_model(arch, random_tensors(arch, workload.seed))
    loop = _Loop(model, PeerHeads(arch, workload.seed), task)
    began_us = _now_us()
    frames = batches = 0
    for pictures in _batched(plain_frames(task.clip, workload.fps), workload.batch_size):
        loop.step(pictures)
        frames += len(pictures)
        batches += 1
    loop.finish()
    return Timing(began_us, loop.committed_us, frames, first_us=loop.first_us, batches=batches)


class _Loop:
    def __init__(self, model: Any, heads: PeerHeads, task: Task) -> None:
        width, height = task.workload.size_wh
        self._patch = architecture(task.workload.model).patch
        size = FrameSize(task.workload.short_side, self._patch)
        self._height, self._width = size.of((height, width))
        self._model = model
        self._heads = heads
        self._mean = torch.tensor(IMAGENET.mean).view(1, 3, 1, 1)
        self._std = torch.tensor(IMAGENET.std).view(1, 3, 1, 1)
        self._database = _open(task.database)
        self.first_us = 0
        self.committed_us = 0

    @torch.inference_mode()
    def step(self, pictures: Pictures) -> None:
        pixels = torch.from_numpy(np.stack([self._resized(picture) for _, picture in pictures]))
        scaled = pixels.permute(0, 3, 1, 2).float() / 255
        out = self._model((scaled - self._mean) / self._std, output_hidden_states=True)
        grid = (self._height // self._patch, self._width // self._patch)
        pts = [one for one, _ in pictures]
        self._commit(self._heads.rows(pts, out.last_hidden_state, out.hidden_states, grid))

    def finish(self) -> None:
        """The short last window."""
        self._commit(self._heads.last_rows())
        self._database.close()

    def _resized(self, picture: Image.Image) -> NDArray[np.uint8]:
        size_wh = (self._width, self._height)
        return np.asarray(picture.resize(size_wh, Image.Resampling.BICUBIC))

    def _commit(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        self.committed_us = _now_us()
        self.first_us = self.first_us or self.committed_us
        with self._database:
            self._database.executemany("INSERT INTO results VALUES(?, ?, ?, ?)", rows)


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE results(topic TEXT, pts INTEGER, facts TEXT, value BLOB)")
    return database


def _batched(pictures: Iterator[tuple[int, Image.Image]], size: int) -> Iterator[Pictures]:
    batch: Pictures = []
    for picture in pictures:
        batch.append(picture)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _now_us() -> int:
    return time.time_ns() // 1000
