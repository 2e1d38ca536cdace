"""The crops that each step of a run sees, made ahead of it by a few threads.

A step's number in -> crops out. What they are depends on the corpus, the recipe, the seed and the
step alone: every picture's draws have a generator of their own, whoever makes them, and when.

JPEGs of 796 x 448 pixels read and cropped: 190 pictures/s on one core of an EPYC with AVX-512 where
crops are 2 x 112 and 4 x 42, 115 where they are 2 x 224 and 8 x 98 (2026-11-30).
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import torch

from operators.backbones.thread_pool import stay_on_one_core
from operators.pretrain.crops import CropRecipe, Crops, draw_crops
from operators.pretrain.dice import generator_of
from operators.pretrain.processes import ALONE, Processes
from pipeline.pretrain.corpus import Corpus

_AHEAD = 2  # steps; those after the next wait for threads that have nothing else to do


class Batches:
    """Of one run. `close` them."""

    def __init__(
        self,
        corpus: Corpus,
        recipe: CropRecipe,
        *,
        count: int,
        seed: int,
        threads: int = 1,
        processes: Processes = ALONE,
    ) -> None:
        """
        Args:
            corpus: what is drawn from.
            recipe: how pictures are cropped.
            count: pictures of a step; fewer where so many cannot be together.
            seed: of everything that is drawn, from 0 on.
            threads: that make crops beside the training; changes no byte.
            processes: among which the pictures of a step are parted.
        """
        self._corpus, self._recipe, self._count, self._seed = corpus, recipe, count, seed
        self._processes = processes
        self._pool = ThreadPoolExecutor(threads, "crops", initializer=stay_on_one_core)
        self._coming: dict[int, list[Future[Crops]]] = {}

    def __call__(self, step: int) -> Crops:
        """The crops of a step, B pictures side by side, of several processes this one's part;
        those of the next ones are begun.

        Args:
            step: from 0 on; fastest in order.

        Raises:
            SourceError: a picture is gone, or has changed since the corpus was made.
            UsageError: pictures cannot be parted among the processes.
        """
        wanted = range(step, step + 1 + _AHEAD)
        for other in [one for one in self._coming if one not in wanted]:
            self._drop(other)
        for one in wanted:
            if one not in self._coming:
                self._coming[one] = self._begun(one)
        return Crops.of_batch([one.result() for one in self._coming.pop(step)])

    def close(self) -> None:
        """Let go of the threads; what was begun ahead is not wanted."""
        self._pool.shutdown(cancel_futures=True)

    def _begun(self, step: int) -> list[Future[Crops]]:
        numbers = list(enumerate(self._corpus.draw(step, self._count, self._seed)))
        return [
            self._pool.submit(self._crops, step, index, number)
            for index, number in numbers[self._processes.part(len(numbers))]
        ]

    def _drop(self, step: int) -> None:
        for one in self._coming.pop(step):
            one.cancel()

    def _crops(self, step: int, index: int, number: int) -> Crops:
        draw = generator_of(self._seed, step, index)
        return draw_crops(torch.from_numpy(self._corpus.picture(number)), self._recipe, draw)
