"""`dinostream eval anomaly`: how well what is unusual is told from what is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from operators.errors import UsageError
from pipeline.cli.dense_options import FOLDER, cache_folder, seed_range, telling
from pipeline.cli.eval_report import report
from pipeline.cli.options import FiniteRange, backbone_config, backbone_options, json_option

if TYPE_CHECKING:
    from operators.backbones.backbone import Backbone
    from operators.weights.heads import Head
    from pipeline.configuration.config import Config
    from pipeline.fit.evaluation import Evaluation
    from pipeline.fit.fit_anomaly import AnomalyPlan


@click.command(
    "anomaly",
    epilog="Example: dinostream eval anomaly --head gate.safetensors --normal may/ --odd odd/; or, "
    "without footage: dinostream eval anomaly --synthetic yard --seeds 700:708 --beside",
)
@click.option("--head", metavar="PATH", help="The head to measure, on --normal and --odd.")
@click.option(
    "--normal",
    metavar="DIR|FILE",
    multiple=True,
    help="Footage on which nothing is wrong, and which the fit was not given.",
)
@click.option(
    "--odd", metavar="DIR|FILE", multiple=True, help="Footage in each frame of which something is."
)
@click.option(
    "--fitted",
    metavar="DIR|FILE",
    multiple=True,
    help="With --beside: what the head was fitted on, from which the others learn.",
)
@click.option(
    "--synthetic",
    type=click.Choice(["yard"]),
    help="Rendered cameras, each with a memory of its own, in place of a head.",
)
@click.option("--seeds", metavar="A:B", help="Of the scenes: from A, below B.")
@click.option(
    "--seconds",
    type=FiniteRange(20, 3600),
    default=300,
    show_default=True,
    help="Of a scene, a frame each; half of them are learnt from.",
)
@click.option(
    "--bodies",
    type=click.IntRange(1, 12),
    default=4,
    show_default=True,
    help="That may be under way at once.",
)
@click.option(
    "--stranger",
    "strangers",
    type=click.Choice(["box", "sphere", "vehicle"]),
    multiple=True,
    default=("vehicle",),
    show_default=True,
    help="Bodies that never come while it is learnt.",
)
@click.option(
    "--prototypes",
    type=click.IntRange(1, 64),
    default=8,
    show_default=True,
    help="Of each place of a scene; a head has its own.",
)
@click.option("--beside", is_flag=True, help="Measure random weights and pixels alone, too.")
@click.option("-o", "--out", type=FOLDER, metavar="DIR", help="For the JSON.")
@backbone_options
@json_option
def anomaly(
    *, head: str | None, synthetic: str | None, out: Path | None, as_json: bool, **given: Any
) -> int:
    """Measure `anomaly`: the area under the ROC curve of frames, and of cells where it is known
    where something is (1: all that is unusual scores higher than all that is not, 0.5: chance).
    """
    if (head is None) == (synthetic is None):
        raise UsageError("give --head with --normal and --odd, or --synthetic yard and --seeds A:B")
    measured = _of_scenes(given) if head is None else _of_footage(head, given)
    return report(measured, out, as_json=as_json)


def _of_footage(name: str, given: dict[str, Any]) -> Evaluation:
    from pipeline.features.backbone import configured_backbone
    from pipeline.fit.evaluate_anomaly import Kinds, evaluate_recordings
    from pipeline.fit.normal_footage import normal_recordings, recordings_here

    if not given["normal"] or not given["odd"]:
        raise UsageError("--head is measured on footage: give --normal DIR and --odd DIR")
    if given["beside"] != bool(given["fitted"]):
        raise UsageError(
            "--beside and --fitted go together: random weights and pixels learn from what the head "
            "was fitted on"
        )
    kinds = Kinds(
        tuple(recordings_here(given["normal"])),
        tuple(recordings_here(given["odd"])),
        tuple(normal_recordings(given["fitted"])) if given["beside"] else (),
    )
    config = backbone_config(given, head=("anomaly", name))
    with closing(configured_backbone(config)) as backbone, telling("eval") as tell:
        own = _head(name, backbone, config)
        return evaluate_recordings(
            own,
            kinds,
            backbone,
            _plan(own, config, cache_folder(given["cache"])),
            random=(lambda: configured_backbone(_random(config))) if given["beside"] else None,
            tell=tell,
        )


def _of_scenes(given: dict[str, Any]) -> Evaluation:
    from operators.learn.anomaly_ways import OfPatches, OfPixels, Way
    from pipeline.features.backbone import configured_backbone
    from pipeline.fit.evaluate_anomaly import PIXELS, RANDOM
    from pipeline.fit.evaluate_strangers import evaluate_scenes
    from pipeline.fit.strangers import yard

    if given["normal"] or given["odd"] or given["fitted"]:
        raise UsageError("--synthetic has its own footage; leave out --normal, --odd and --fitted")
    seeds, config = seed_range(given["seeds"] or ""), backbone_config(given)
    with ExitStack() as stack:
        backbones = [
            stack.enter_context(closing(configured_backbone(one)))
            for one in _compared(given, config)
        ]
        patch = backbones[0].loaded.model.architecture.patch
        ways: dict[str, Way] = {
            name: OfPatches(one, given["prototypes"])
            for name, one in zip(("", RANDOM), backbones, strict=False)
        }
        ways |= {PIXELS: OfPixels(patch)} if given["beside"] else {}
        side = max(patch, round(config.short_side / patch) * patch)
        scenes = [yard(seed, given["bodies"], given["seconds"], side, patch) for seed in seeds]
        name = backbones[0].loaded.name
        tell = stack.enter_context(telling("eval"))
        return evaluate_scenes(scenes, given["strangers"], ways, patch, what=name, tell=tell)


def _compared(given: dict[str, Any], config: Config) -> Iterator[Config]:
    """What is measured, and random weights where they are to stand beside others."""
    yield config
    if given["beside"] and config.weights != "random":
        yield _random(config)


def _random(config: Config) -> Config:
    return config.model_copy(update={"weights": "random"})


def _head(name: str, backbone: Backbone, config: Config) -> Head:
    from operators.weights.head_request import HeadRequest
    from operators.weights.heads import trained_head

    loaded = backbone.loaded
    seed = config.seed if loaded.untrained else None
    head = trained_head(
        HeadRequest("anomaly", loaded.model.architecture, loaded.sha256, name, seed)
    )
    missing = [key for key in ("threshold", "quantile", "trained") if key not in head.facts]
    if missing:
        raise head.wrong(
            f"its header lacks {', '.join(missing)}; only heads of `dinostream fit anomaly` can be "
            "measured"
        )
    return head


def _plan(head: Head, config: Config, cache: Path) -> AnomalyPlan:
    """As the head was fitted."""
    from operators.anomaly.memory import PROTOTYPES
    from pipeline.fit.fit_anomaly import AnomalyPlan

    return AnomalyPlan(
        cache,
        config.short_side,
        head.facts["trained"]["frames_per_s"],
        head.tensors[PROTOTYPES].shape[2],
        head.facts["quantile"],
        config.seed,
    )
