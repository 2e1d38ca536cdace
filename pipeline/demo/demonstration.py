"""One demonstration: the clip, the job over it, picture and film, and what came out in words.

The clip and how to run it in -> an exit code out, files in a folder, text through `say`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from operators.errors import UsageError
from operators.weights.backbone_choice import DEMO, RANDOM
from operators.weights.head_needs import chosen_header
from pipeline.configuration.config import OPERATORS, Config
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_specs
from pipeline.demo.clip import DemoClip
from pipeline.demo.findings import Findings, Footage, read_findings, read_maps
from pipeline.demo.layout import CELL_WIDTH, evenly
from pipeline.demo.material import Material
from pipeline.demo.picture import Picture, draw_picture
from pipeline.demo.picture_file import drawn_from, mark_of, save_picture
from pipeline.demo.stills import read_stills
from pipeline.demo.summary import summary_lines
from pipeline.demo.truth import scene_truth
from pipeline.display import Display
from pipeline.job import run_job
from pipeline.kept_report import KeptReport
from pipeline.render.film import outputs_of
from pipeline.render.rendering import EVERYTHING, Wish, render
from pipeline.stream.spec import StreamSpec


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run, and how.

    Attributes:
        clip: what is played.
        folder: where `demo.db`, `demo.png` and `demo.mp4` go.
        runtime: ray or inline.
        weights: of the backbone, as `--weights` takes them.
        model: architecture; None: the one that the weights are, or the usual one.
        fresh: do it again.
        afresh: the command that does so, for the text.
    """

    clip: DemoClip
    folder: Path
    runtime: str
    weights: str
    model: str | None
    fresh: bool
    afresh: str

    @property
    def config(self) -> Config:
        """What `dinostream replay` would make of the same options."""
        options = {
            "sources": [self.clip.source],
            "sink": f"sqlite:{self.folder / 'demo.db'}",
            "weights": self.weights,
            "runtime": self.runtime,
            **({"model": self.model} if self.model else {}),
            "operators": [*OPERATORS, "pca", *self._trackers],
        }
        return resolve(None, options)

    @property
    def _trackers(self) -> tuple[str, ...]:
        """Where there is a head that detects: no official one does."""
        found = self.weights == RANDOM or (self.weights == DEMO and chosen_header("detect", DEMO))
        return ("detect", "track") if found else ()

    @property
    def picture(self) -> Path:
        """Where the picture goes."""
        return self.folder / "demo.png"

    @property
    def film(self) -> Path:
        """Where the film goes."""
        return self.folder / "demo.mp4"


def demonstrate(plan: Plan, *, display: Display, say: Callable[[str], None]) -> int:
    """Run the job, draw picture and film where they are missing, and say what came out.

    Args:
        plan: what and how.
        display: shows the job while it runs.
        say: takes a line of text.

    Returns:
        The exit code of the job.

    Raises:
        UsageError: the clip is not there, or is several.
        DinostreamError: the job or the picture failed.
    """
    config = plan.config
    spec = _only(stream_specs(config, live=False), plan.clip)
    kept = KeptReport(display)
    code = run_job(config, live=False, fresh=plan.fresh, display=kept)
    assert kept.report is not None
    footage = Footage(config.sink.uri, spec.stream, spec.session, config.model)
    findings = read_findings(footage)
    if code or not findings.shots:
        lines = kept.report.lines()
    else:
        mark = mark_of(footage, findings)
        if plan.fresh or drawn_from(plan.picture) != mark or not plan.film.exists():
            say(f"drawing {plan.film} and {plan.picture}")
            draw_film(plan, spec)
            picture = draw_run(plan, spec, footage, findings)
            save_picture(picture.image, plan.picture, mark=mark)
        lines = summary_lines(
            kept.report,
            findings,
            footage,
            weights=plan.weights,
            afresh=plan.afresh,
            drawn=(plan.picture, plan.film),
        )
    for line in lines:
        say(line)
    return code


def draw_film(plan: Plan, spec: StreamSpec) -> None:
    """The records over the clip; drawn before the picture, whose mark then stands for both."""
    outputs = outputs_of(plan.film, gif=False, png=False)
    wish = Wish(
        sink=plan.config.sink.uri,
        spec=spec,
        outputs=outputs,
        operators=EVERYTHING,
        stream=spec.stream,
        model=plan.config.model,
    )
    render(wish, tell=lambda _: None)


def draw_run(plan: Plan, spec: StreamSpec, footage: Footage, findings: Findings) -> Picture:
    """The picture of a job's records beside the frames they are of.

    Args:
        plan: what was run.
        spec: its stream.
        footage: where its records are.
        findings: what was read of them.
    """
    shots = tuple(findings.shots[number] for number in evenly(len(findings.shots)))
    positions = [shot.position for shot in shots]
    scene = plan.clip.scene
    return draw_picture(
        Material(
            name=spec.stream,
            findings=findings,
            shots=shots,
            stills=read_stills(spec, positions, short_side=CELL_WIDTH),
            maps=read_maps(footage, findings, positions),
            truth=scene_truth(scene, shots) if scene else None,
        )
    )


def _only(specs: list[StreamSpec], clip: DemoClip) -> StreamSpec:
    if len(specs) != 1:
        raise UsageError(
            f"a demonstration takes one clip, {clip.source} holds {len(specs)}; name one of them, "
            f"or use: dinostream replay {clip.source} --weights random"
        )
    return specs[0]
