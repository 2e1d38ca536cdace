"""`dinostream bench operators`: every operator's time per frame beside the backbone's.

Settings in -> a report as JSON values out. One process and one engine: each batch goes through the
backbone and all operators, so that what slows the machine down slows all of them. Needs no Ray.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from operators.backbones.machine import this_machine
from operators.bench.provenance import load, provenance
from operators.errors import UsageError
from operators.format import BUILT_IN
from operators.frames import FrameBatch
from operators.places.places import Places
from operators.places.shapes import Line, Zone
from operators.weights.backbone_choice import RANDOM
from pipeline.bench.clip import bench_clip
from pipeline.bench.lap import Lap, run_lap
from pipeline.bench.parts import decoded_frames, full_batches
from pipeline.bench.shares import lap_figures, together
from pipeline.bench.soundness import (
    Said,
    require_finite_features,
    require_sound,
    require_the_same,
    said,
)
from pipeline.bench.workload import Workload
from pipeline.configuration.config import OPERATORS, Config, OperatorConfig, SamplingConfig
from pipeline.configuration.streams import stream_specs
from pipeline.engine.assembly import assemble
from pipeline.engine.step import Engine

FORMAT = 1
SIZE_WH = (360, 360)  # frames of a square clip are exactly square in the model
GOAL_SHORT_SIDE = 224  # the goal is for this size on a CPU
DRAWN = Places(
    (
        Zone("left", ((0.05, 0.4), (0.45, 0.3), (0.4, 0.95), (0.02, 0.9))),
        Zone("right", ((0.55, 0.2), (0.95, 0.5), (0.8, 0.98))),
        Zone("all", ((0, 0), (1, 0), (1, 1), (0, 1))),
    ),
    (Line("across", ((0.5, 0), (0.5, 1))),),
)

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """How much is measured.

    Attributes:
        clips: where clips are kept.
        seconds: length of the clip, of which five frames a second are taken.
        threads: frames computed at a time; None: as many as there are cores.
    """

    clips: Path
    seconds: float = 6.4
    rounds: int = 5
    model: str = "dinov2_vits14"
    short_side: int = 224
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.seconds <= 0:
            raise UsageError(
                f"rounds must be at least 1 and seconds above 0, got {self.rounds}, {self.seconds}"
            )

    @property
    def workload(self) -> Workload:
        """Clip, model and sampling."""
        return Workload(
            "square",
            size_wh=SIZE_WH,
            seconds=self.seconds,
            model=self.model,
            short_side=self.short_side,
        )

    def config(self, clip: Path) -> Config:
        """The job with every built-in operator, random weights and random heads."""
        workload = self.workload
        return Config(
            sources=[str(clip)],
            model=workload.model,
            weights=RANDOM,
            seed=workload.seed,
            operators={name: OperatorConfig() for name in BUILT_IN},
            sampling=SamplingConfig(fps=workload.fps),
            short_side=workload.short_side,
            batch_size=workload.batch_size,
            threads=self.threads or this_machine().cores,
            runtime="inline",
        )


def measure(settings: Settings, tell: Tell) -> dict[str, Any]:
    """Run everything.

    Args:
        settings: how much.
        tell: told what happens now.

    Returns:
        The report; `pipeline.bench.operator_report` makes a table of it.

    Raises:
        GateRed: results are no numbers or differ between rounds; there are no figures then.
        DinostreamError: an operator failed.
    """
    origin = provenance()
    config = settings.config(bench_clip(settings.workload, settings.clips, tell))
    (spec,) = stream_specs(config, live=False)
    frames = decoded_frames(spec)
    engine = assemble(config).engine
    for operator in engine.operators:
        operator.place(spec.stream, DRAWN)
    try:
        gate, laps = _laps(engine, frames, settings.rounds, tell)
        ran_on = {"device": engine.backbone.device.type, "dtype": str(engine.backbone.choice.dtype)}
    finally:
        engine.close()
    held = ran_on["device"] == "cpu" and settings.short_side == GOAL_SHORT_SIDE
    contenders = lap_figures(laps, len(frames.infos))
    return {
        "benchmark": "operators",
        "format": FORMAT,
        **origin,
        "load_after": load(),
        "rounds": settings.rounds,
        "workload": settings.workload.to_json() | ran_on | {"threads": config.threads},
        "frames": len(frames.infos),
        "model_hw": list(frames.pixels.shape[1:3]),
        "gate": {name: asdict(one) for name, one in gate.items()},
        "contenders": {
            name: [one.to_json() for one in figures] for name, figures in contenders.items()
        },
        "figures": [one.to_json() for one in together(laps, OPERATORS, held=held)],
    }


def _laps(
    engine: Engine, frames: FrameBatch, rounds: int, tell: Tell
) -> tuple[dict[str, Said], list[Lap]]:
    """One lap whose results are looked at, then those that count and have to say the same."""
    batches = full_batches(frames, engine.batch_size)
    tell(f"gate: {len(frames.infos)} frames through the backbone and {len(BUILT_IN)} operators")
    first = run_lap(engine, batches, inspect=require_finite_features)
    for name, results in first.results.items():
        require_sound(name, results)
    gate = {name: said(results) for name, results in first.results.items()}
    laps = []
    for number in range(rounds):
        tell(f"round {number + 1} of {rounds}")
        lap = run_lap(engine, batches, turn=number)
        for name, results in lap.results.items():
            require_the_same(name, gate[name], said(results))
        laps.append(lap)
    return gate, laps
