"""One real run over a second and a half of a rendered room, which all tests of the demo look at."""

import io
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pipeline.configuration.streams import stream_specs
from pipeline.demo.clip import rendered_clip
from pipeline.demo.demonstration import Plan, demonstrate
from pipeline.demo.findings import Findings, Footage, read_findings
from pipeline.display import PlainDisplay
from pipeline.synthetic.uri import SceneSpec

SCENE = SceneSpec(seed=29, seconds=1.6, fps=10, size_wh=(160, 90))


@dataclass(frozen=True)
class Run:
    """A demonstration that was given, and what it said."""

    plan: Plan
    code: int
    said: list[str]

    def again(self, **changes) -> "Run":
        return give(replace(self.plan, **changes))

    @property
    def spec(self):
        (spec,) = stream_specs(self.plan.config, live=False)
        return spec

    @property
    def footage(self) -> Footage:
        config, spec = self.plan.config, self.spec
        return Footage(config.sink.uri, spec.stream, spec.session, config.model)

    @property
    def findings(self) -> Findings:
        return read_findings(self.footage)


def give(plan: Plan) -> Run:
    said: list[str] = []
    display = PlainDisplay(err=io.StringIO(), out=io.StringIO())
    return Run(plan, demonstrate(plan, display=display, say=said.append), said)


@pytest.fixture(scope="session")
def first_run(tmp_path_factory) -> Run:
    folder: Path = tmp_path_factory.mktemp("demo")
    clip = rendered_clip(folder, lambda text: None, scene=SCENE)
    afresh = "make demo FRESH=1"
    return give(Plan(clip, folder, "inline", "random", "dinov2_vitti14", False, afresh))
