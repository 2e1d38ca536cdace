"""Who takes a course: this process, several of this machine, or those of a Ray cluster."""

from __future__ import annotations

from dataclasses import dataclass, replace

from operators.pretrain.processes import equal_parts
from pipeline.pretrain.course import Course
from pipeline.pretrain.gather import Tell


@dataclass(frozen=True, slots=True)
class Crew:
    """
    Attributes:
        workers: processes, that train together.
        address: of the Ray cluster that they are of; None: they are of this machine.
        threads: of all of those of this machine; of each one of a cluster. No bit depends on how
            many make crops.
    """

    workers: int = 1
    address: str | None = None
    threads: int = 1

    @property
    def alone(self) -> bool:
        """It is this process."""
        return self.workers == 1 and self.address is None

    def train(self, course: Course, tell: Tell) -> None:
        """Take it to the end, in other processes; its checkpoint is what they leave.

        Args:
            course: whose folder is ready.
            tell: hears how far it is.

        Raises:
            UsageError: there are too few GPUs or pictures for so many, or packages are missing.
            RuntimeFailure: one died, or there is no cluster.
            DinostreamError: one of them raised it.
        """
        equal_parts(course.plan.recipe.batch, self.workers)
        if self.address is not None:
            # A room of its own: it wants an extra.
            from pipeline.runtime.ray_train import train_on_ray

            work = course.take_part
            address, folder = self.address, course.path
            train_on_ray(work, self.workers, address=address, folder=folder, tell=tell)
            return
        from pipeline.runtime.process_group import run_together

        each = max(1, self.threads // self.workers)
        work = replace(course, threads=each).take_part
        run_together(work, self.workers, tell=tell, threads=each)
