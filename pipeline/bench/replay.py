"""`dinostream bench replay`: the whole job beside a plain loop and beside its own ideal.

Settings in -> a report as JSON values out. Contenders take turns, so that a machine that slows
down slows all of them; what is compared ran in the same round.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from operators.bench.gate import GateRed
from operators.bench.peer_model import require_transformers
from operators.bench.provenance import load, provenance
from operators.errors import UsageError
from pipeline.bench.agreement import Agreement, compare, our_payloads, plain_payloads
from pipeline.bench.clip import bench_clip
from pipeline.bench.figures import Round, contender_figures, job_figures
from pipeline.bench.memory import measure_memory
from pipeline.bench.task import CONTENDERS, Task
from pipeline.bench.trial import Trial, run_trial
from pipeline.bench.workload import Runtime, Workload

FORMAT = 1
# Side by side: the clip as most cameras give it, and one whose frames are exactly 224x224.
SHAPES = {"wide": (640, 360), "square": (360, 360)}

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """How much is measured.

    Attributes:
        shapes: names of `SHAPES`.
        runtimes: of dinostream.
        memory: measure long clips too.
        clips: where clips are kept.
    """

    clips: Path
    seconds: float = 18.0
    rounds: int = 5
    shapes: tuple[str, ...] = tuple(SHAPES)
    runtimes: tuple[Runtime, ...] = ("inline", "ray")
    model: str = "dinov2_vits14"
    short_side: int = 224
    memory: bool = False

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.seconds <= 0:
            raise UsageError(
                f"rounds must be at least 1 and seconds above 0, got {self.rounds}, {self.seconds}"
            )

    def workload(self, shape: str) -> Workload:
        """The job on the clip of one shape."""
        return Workload(
            shape,
            size_wh=SHAPES[shape],
            seconds=self.seconds,
            model=self.model,
            short_side=self.short_side,
        )


def measure(settings: Settings, tell: Tell) -> dict[str, Any]:
    """Run everything.

    Args:
        settings: how much.
        tell: told what happens now.

    Returns:
        The report; `pipeline.bench.report` makes a table of it.

    Raises:
        UsageError: the peer library is not installed.
        GateRed: contenders disagree; there are no figures then.
        RuntimeFailure: a contender failed.
    """
    require_transformers()
    origin = provenance()
    with tempfile.TemporaryDirectory(prefix="dinostream-bench-") as scratch:
        shapes = [_Contest(settings, shape, Path(scratch), tell).run() for shape in settings.shapes]
        memory = (
            measure_memory(settings.runtimes, settings.clips, Path(scratch), tell)
            if settings.memory
            else []
        )
    return {
        "benchmark": "replay",
        "format": FORMAT,
        **origin,
        "load_after": load(),
        "rounds": settings.rounds,
        "shapes": shapes,
        "memory": memory,
    }


class _Contest:
    """All contenders on one clip."""

    def __init__(self, settings: Settings, shape: str, scratch: Path, tell: Tell) -> None:
        self._settings = settings
        self._workload = settings.workload(shape)
        self._scratch = scratch
        self._tell = tell
        self._clip = ""

    def run(self) -> dict[str, Any]:
        self._clip = str(bench_clip(self._workload, self._settings.clips, self._tell))
        writers = ["plain", *self._settings.runtimes]
        gate, _ = self._round("gate", writers)  # also what fills the machine's caches
        rounds = []
        for number in range(self._settings.rounds):
            everybody = [*writers, "decode", "engine"]
            turn = number % len(everybody)  # nobody always runs after the same one
            _, trials = self._round(f"round {number + 1}", everybody[turn:] + everybody[:turn])
            rounds.append(trials)
        return self._told(gate, rounds)

    def _round(self, name: str, contenders: Sequence[str]) -> tuple[dict[str, Any], Round]:
        """Everybody once, and their records held to the plain loop's."""
        folder = self._scratch / self._workload.name / name.replace(" ", "-")
        trials: dict[str, Trial] = {}
        for contender in contenders:
            self._tell(f"{self._workload.name}, {name}: {CONTENDERS[contender]}")
            trials[contender] = run_trial(self._task(contender, folder))
        agreements = {
            runtime: self._agreement(runtime, folder) for runtime in self._settings.runtimes
        }
        _require_one_count(trials)
        shutil.rmtree(folder)
        return {runtime: asdict(one) for runtime, one in agreements.items()}, trials

    def _agreement(self, runtime: str, folder: Path) -> Agreement:
        agreement = compare(
            plain_payloads(self._task("plain", folder).database),
            our_payloads(self._task(runtime, folder).database),
        )
        agreement.require(CONTENDERS["plain"], CONTENDERS[runtime])
        return agreement

    def _task(self, contender: str, folder: Path) -> Task:
        return Task(contender, self._workload, self._clip, folder / contender)

    def _told(self, gate: dict[str, Any], rounds: Sequence[Round]) -> dict[str, Any]:
        return {
            "workload": self._workload.to_json() | {"threads": self._workload.threads},
            "frames": rounds[0]["plain"].frames,
            "gate": gate,
            "contenders": {
                contender: [one.to_json() for one in contender_figures(rounds, contender)]
                for contender in CONTENDERS
                if contender in rounds[0]
            },
            "figures": [one.to_json() for one in job_figures(rounds)],
        }


def _require_one_count(trials: Round) -> None:
    counts = {contender: trial.frames for contender, trial in trials.items()}
    if len(set(counts.values())) > 1:
        raise GateRed(f"contenders sampled different numbers of frames, so no figures: {counts}")
