"""One training without labels, from sources to a file that `--weights` takes.

What it is taught is `lesson`'s, what it sees the corpus's, and how it gets to the end the course's;
here it is judged. A command that was killed goes on from its last checkpoint.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from operators.backbones.training_pass import training_dtype
from operators.pretrain.learner import Learner
from operators.pretrain.trainee import Trainee
from pipeline.owned_folder import owned_folder
from pipeline.pretrain.course import Course
from pipeline.pretrain.crew import Crew
from pipeline.pretrain.gather import Tell, gather
from pipeline.pretrain.held_out import HeldOut, apart
from pipeline.pretrain.judging import Verdict
from pipeline.pretrain.lesson import Lesson, lesson_of
from pipeline.pretrain.plan import Plan
from pipeline.pretrain.report import Report
from pipeline.pretrain.run_folder import BACKBONE, COMMAND, NOT_BETTER, RunFolder


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


def pretrain(plan: Plan, out: Path, *, tell: Tell, crew: Crew | None = None) -> Trained:
    """Train, or go on.

    Args:
        plan: what is wanted.
        out: folder of the training, for this process alone.
        tell: hears how far it is.
        crew: who trains; this process, where there is none.

    Raises:
        UsageError: the folder is another one's, or the plan does not fit it.
        DinostreamError: no picture could be had, weights could not, losses are no numbers, or one
            of the crew died.
    """
    crew = crew or Crew()
    cuda = torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")
    # Where a crew trains, its cards are its own.
    device = cuda if crew.alone else torch.device("cpu")
    with owned_folder(out, COMMAND):
        folder = RunFolder(out)
        folder.clear()
        wanted = lesson_of(plan, device)  # first: what it refuses should not cost an hour
        sources = (plan.sources, folder.pictures, plan.rules)
        gathered = gather(*sources, run=out, tell=tell, threads=crew.threads)
        own, held_out = apart(gathered.corpus, plan.held_out)
        judges = HeldOut(held_out, plan)
        judges.warn_if_few(plan)
        plan = plan.with_batch(own.together(plan.recipe.batch))
        course = Course(plan, out, training_dtype(cuda), crew.threads)
        folder.require(course.facts(wanted, gathered.corpus.identity))
        before = deepcopy(wanted.student.backbone)
        if not crew.alone:
            crew.train(course, tell)
        # What several have taken to the end is opened here, as what was stopped there would be.
        training, alarms = course.take(wanted, own, tell=tell)
        verdicts = judges.verdicts(before, training.average.backbone, tell)
        kept = not plan.goes_on or verdicts[-1].better
        weights = _written(folder, plan, wanted, training.average, kept=kept)
        done = Trained(weights, kept, verdicts, gathered.report, tuple(alarms))
        folder.write_report(done.plain())
        return done


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
