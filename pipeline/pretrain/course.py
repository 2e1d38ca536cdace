"""The steps of one training: what is taught, to the end of the recipe, with a checkpoint that it
goes on from and a curve that says how it does. By one process, or by each of several.
"""

from __future__ import annotations

import logging
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from operators.pretrain.processes import ALONE, Processes
from operators.pretrain.step import Step
from operators.pretrain.training import Training
from pipeline.pretrain.batches import Batches
from pipeline.pretrain.corpus import Corpus, open_corpus
from pipeline.pretrain.curve import EVERY, Curve
from pipeline.pretrain.gather import Tell
from pipeline.pretrain.held_out import apart
from pipeline.pretrain.lesson import Lesson, lesson_of
from pipeline.pretrain.looks import Looks
from pipeline.pretrain.plan import Plan
from pipeline.pretrain.run_folder import RunFolder

log = logging.getLogger(__name__)

SAVE_S = 60.0  # between two checkpoints, at least
MOST_SAVING = 20  # times what one takes to write, at least: a large model's are gigabytes


@dataclass(frozen=True, slots=True)
class Course:
    """
    Attributes:
        plan: of the training.
        path: its folder; of several processes each can read it. The corpus in it is whole.
        dtype: of matrix products.
        threads: of each process, that make crops; no bit depends on how many there are.
    """

    plan: Plan
    path: Path
    dtype: torch.dtype
    threads: int = 1

    def take(
        self, lesson: Lesson, corpus: Corpus, *, tell: Tell, processes: Processes = ALONE
    ) -> tuple[Training[Any], list[str]]:
        """Go to the end, from the last checkpoint on.

        Args:
            lesson: what is taught; its student learns.
            corpus: what it learns from: nothing of it is held out.
            tell: hears how far it is.
            processes: that learn together.

        Returns:
            What has ended, and what its last look was alarmed by.

        Raises:
            UsageError: a step's pictures cannot be parted among the processes.
            DinostreamError: a picture is gone, or losses are no numbers.
        """
        plan, folder = self.plan, RunFolder(self.path)
        batches = Batches(
            corpus,
            plan.drawn_crops,
            count=plan.recipe.batch,
            seed=plan.recipe.seed,
            threads=self.threads,
            processes=processes,
        )
        with closing(batches):
            training = Training(
                lesson.student,
                lesson.objective,
                batches,
                plan.recipe,
                dtype=self.dtype,
                processes=processes,
            )
            folder.resume(training)
            alarms = _run(training, folder, plan, tell, processes)
        return training, alarms

    def take_part(self, processes: Processes, device: torch.device, tell: Tell) -> None:
        """What each of several processes does; what comes of it is the checkpoint.

        Args:
            processes: that learn together.
            device: that this one computes on.
            tell: hears how far it is.

        Raises:
            UsageError: this one has other weights or pictures than the training began with.
            DinostreamError: as of `take`.
        """
        lesson, folder = lesson_of(self.plan, device, processes), RunFolder(self.path)
        corpus = open_corpus(folder.pictures)
        folder.require(self.facts(lesson, corpus.identity))
        own, _ = apart(corpus, self.plan.held_out)
        self.take(lesson, own, tell=tell, processes=processes)

    def facts(self, lesson: Lesson, corpus: str) -> dict[str, Any]:
        """All that decides the result; how many processes there are is not among them.

        Args:
            lesson: what is taught.
            corpus: its identity.
        """
        return self.plan.facts({"corpus": corpus, **lesson.identities, "dtype": str(self.dtype)})


def _run(
    training: Training[Any], folder: RunFolder, plan: Plan, tell: Tell, processes: Processes
) -> list[str]:
    """What the last look was alarmed by; the first process alone looks."""
    steps = plan.recipe.steps
    tell(training.step / steps, f"step {training.step} of {steps}")
    notes = _Notes(training, folder, plan) if processes.rank == 0 else None
    saved_s, took_s = time.monotonic(), 0.0
    for step in training.run():
        if notes:
            notes.add(step)
        due = time.monotonic() - saved_s >= max(SAVE_S, MOST_SAVING * took_s)
        if processes.agreed(due or training.step == steps):
            began_s = time.monotonic()
            folder.save(training)
            saved_s = time.monotonic()
            took_s = saved_s - began_s
            if notes:
                notes.draw()
        if notes:
            tell(training.step / steps, f"step {training.step} of {steps}, {notes.said}")
    return notes.alarms if notes else []


class _Notes:
    """What is noted of a training on its way.

    Attributes:
        alarms: of the last look.
        said: of the last step, in words.
    """

    def __init__(self, training: Training[Any], folder: RunFolder, plan: Plan) -> None:
        self._training, self._plan = training, plan
        self._looks, self._curve = Looks(plan.recipe), Curve(folder.path, training.step)
        self.said = ""
        lines = self._curve.lines
        self.alarms: list[str] = list(lines[-1].get("alarms", ())) if lines else []

    def add(self, step: Step) -> None:
        """Another step."""
        self._looks.add(step)
        self.said = self._looks.said
        number = self._training.step
        if number % EVERY == 0 or number == self._plan.recipe.steps:
            line, self.alarms = self._looks.line(number, step)
            self._curve.add(line)
            for alarm in self.alarms:
                log.warning("step %d: %s", number, alarm)

    def draw(self) -> None:
        """The picture of all that is noted."""
        self._curve.draw(self._plan)
