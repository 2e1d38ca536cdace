"""One training without labels, from sources to a file that `--weights` takes.

What it is taught is `lesson`'s, what it sees the corpus's; here it goes step by step, says how far
it is, and is judged. A command that was killed goes on from its last checkpoint.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from operators.backbones.training_pass import training_dtype
from operators.pretrain.learner import Learner
from operators.pretrain.trainee import Trainee
from operators.pretrain.training import Training
from pipeline.owned_folder import owned_folder
from pipeline.pretrain.batches import Batches
from pipeline.pretrain.curve import EVERY, Curve
from pipeline.pretrain.gather import gather
from pipeline.pretrain.held_out import HeldOut, apart
from pipeline.pretrain.judging import Verdict
from pipeline.pretrain.lesson import Lesson, lesson_of
from pipeline.pretrain.looks import Looks
from pipeline.pretrain.plan import Plan
from pipeline.pretrain.report import Report
from pipeline.pretrain.run_folder import BACKBONE, COMMAND, NOT_BETTER, RunFolder

log = logging.getLogger(__name__)

Tell = Callable[[float | None, str], None]
"""Called with the share that is done and how far that is, in words."""

SAVE_S = 60.0


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of it.

    Attributes:
        weights: the file.
        kept: it is better than what it began with by the last verdict, or began with nothing;
            else the file is there to be looked at, under another name.
        verdicts: on pictures that it was not trained on.
        gathered: what became of its sources.
        alarms: of the last look.
    """

    weights: Path
    kept: bool
    verdicts: tuple[Verdict, ...]
    gathered: Report
    alarms: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "weights": self.weights.name,
            "kept": self.kept,
            "verdicts": [one.plain() for one in self.verdicts],
            "gathered": self.gathered.to_json(),
            "alarms": list(self.alarms),
        }


def pretrain(plan: Plan, out: Path, *, tell: Tell, threads: int = 1) -> Trained:
    """Train, or go on.

    Args:
        plan: what is wanted.
        out: folder of the training, for this process alone.
        tell: hears how far it is.
        threads: that make crops; no bit depends on how many there are.

    Raises:
        UsageError: the folder is another one's, or the plan does not fit it.
        DinostreamError: no picture could be had, weights could not, or losses are no numbers.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with owned_folder(out, COMMAND):
        folder = RunFolder(out)
        wanted = lesson_of(plan, device)  # first: what it refuses should not cost an hour
        gathered = gather(plan.sources, folder.pictures, plan.rules, tell=tell, threads=threads)
        own, held_out = apart(gathered.corpus, plan.held_out)
        dtype = training_dtype(device)
        identities = {"corpus": gathered.corpus.identity, **wanted.identities, "dtype": str(dtype)}
        folder.require(plan.facts(identities))
        before = deepcopy(wanted.student.backbone)
        recipe = plan.recipe
        with Batches(
            own, plan.drawn_crops, count=recipe.batch, seed=recipe.seed, threads=threads
        ) as batches:
            training = Training(wanted.student, wanted.objective, batches, plan.recipe, dtype=dtype)
            alarms = _train(training, folder, plan, tell=tell)
        verdicts = HeldOut(held_out, plan).verdicts(before, training.average.backbone, tell)
        kept = not plan.goes_on or verdicts[-1].better
        weights = _written(folder, plan, wanted, training.average, kept=kept)
        done = Trained(weights, kept, verdicts, gathered.report, tuple(alarms))
        folder.write_report(done.plain())
        return done


def _train(training: Training[Any], folder: RunFolder, plan: Plan, *, tell: Tell) -> list[str]:
    """To the end of the recipe; what the last look was alarmed by."""
    if folder.checkpoint.exists():
        training.resume(folder.checkpoint)
    steps, alarms = plan.recipe.steps, list[str]()
    curve, looks = Curve(folder.path, training.step), Looks(plan.recipe)
    tell(training.step / steps, f"step {training.step} of {steps}")
    saved_s = time.monotonic()
    for step in training.run():
        looks.add(step)
        last = training.step == steps
        if training.step % EVERY == 0 or last:
            line, alarms = looks.line(training.step, step)
            curve.add(line)
            for alarm in alarms:
                log.warning("step %d: %s", training.step, alarm)
        if time.monotonic() - saved_s >= SAVE_S or last:
            training.save(folder.checkpoint)
            curve.draw(plan)
            saved_s = time.monotonic()
        tell(training.step / steps, f"step {training.step} of {steps}, {looks.said}")
    return alarms


def _written(
    folder: RunFolder, plan: Plan, lesson: Lesson, average: Trainee, *, kept: bool
) -> Path:
    """The backbone, under the name that says whether it is worth anything, and its heads."""
    if lesson.shape is not None and isinstance(average, Learner):
        folder.write_heads(average, lesson.shape)
    return folder.write_backbone(
        average.backbone.state_dict(),
        BACKBONE if kept else NOT_BETTER,
        rendered_only=plan.rendered and lesson.rendered_only,
    )
