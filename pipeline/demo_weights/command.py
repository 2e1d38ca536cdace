"""`python -m pipeline.demo_weights`: renders footage, trains the small backbone, writes its file.

Stopped or killed, the same command goes on. The curve, a JSON line per look at held-out footage,
lies beside the checkpoint.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from operators.backbones.architectures import DEMO_MODEL, architecture
from operators.backbones.random_weights import random_tensors
from operators.backbones.training_pass import training_dtype
from operators.supervised.agreement import Agreement, AgreementPlan
from operators.supervised.clips import Clips, Turned
from operators.supervised.loop import Plan, Training
from operators.supervised.student import Student
from operators.weights.backbone_choice import DEMO
from operators.weights.demo import read_demo
from operators.whole_file import whole_file
from pipeline.demo_weights.footage import Footage, Mix
from pipeline.demo_weights.recipe import Recipe
from pipeline.demo_weights.rendering import render
from pipeline.synthetic.action import ACTIONS
from pipeline.synthetic.labels import PEOPLED
from pipeline.synthetic.uri import SCENES as ALL_SCENES

AGREE = AgreementPlan()
HELD_OUT_SEED = 1 << 40  # of the first clip that nothing is trained on
LOOK_S = 180.0
SAVE_S = 60.0
SEEDS_OF_A_KIND = 1_000_000
SCENES = {"world": 3, "varied": 1}
# Wide, upright and square, and a scale of its own: what is never seen at a size is noise there.
SIZES = {
    (112, 112): 3,
    (196, 112): 3,
    (112, 196): 3,
    (266, 112): 1,
    (112, 266): 1,
    (392, 224): 1,
}
_LOOKED_AT = 64  # clips at a time, so that memory stays bounded

_MIRRORED = {"pass-left": "pass-right", "pass-right": "pass-left"}
_REVERSED = _MIRRORED | {
    "approach": "recede",
    "recede": "approach",
    **{name: name for name in ("orbit", "collide", "still")},
}


def main() -> None:
    """Train the backbone that ships with dinostream."""
    wish = _wish()
    out: Path = wish.out
    out.mkdir(parents=True, exist_ok=True)
    own, unseen = (_mix(wish, first, clips) for first, clips in _parts(wish))
    training = _training(wish, own)
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        training.resume(checkpoint)
        _say(f"goes on after step {training.step} of {wish.steps}")
    elif wish.start_from:
        training.start_from(_before(wish.start_from))
    for line in _watched(training, unseen, checkpoint):
        with (out / "curve.jsonl").open("a") as curve:
            curve.write(json.dumps(line) + "\n")
        _say(json.dumps(line))
    _export(training.student, out / f"{DEMO_MODEL}.safetensors")
    _say(f"the backbone is in {out / f'{DEMO_MODEL}.safetensors'}")


def _wish() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.demo_weights",
        description="Train the backbone that ships with dinostream, on rendered footage.",
        epilog="Example: python -m pipeline.demo_weights --out results/pretrain",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder of the run")
    add("--scenes", type=_scenes, default=SCENES, help="NAME:SHARE,... of `synthetic:`")
    add("--clips", type=int, default=6000, help="to train on, 8 frames each")
    add("--held-out", type=int, default=256, help="clips to look at")
    add("--frames", type=int, default=8, help="of a clip")
    add("--fps", type=int, default=5, help="of a clip")
    add("--apart", type=int, default=1, help="of a clip's frames, in frames of the footage")
    add("--sizes", type=_sizes, default=SIZES, help="WIDTHxHEIGHT:SHARE,... of the frames")
    add("--batch", type=int, default=16, help="clips per step, of the first size; fewer of larger")
    add("--steps", type=int, default=3000, help="in all")
    add("--heads-first", type=int, default=0, help="steps that leave the backbone as it is")
    add("--learning-rate", type=float, default=1e-3, help="at its height")
    add("--agree", type=float, default=AGREE.agree, help="weight of places; 0: none")
    add("--spread", type=float, default=AGREE.spread, help="weight of KoLeo; 0: none")
    add("--start-from", help="checkpoint of another run, or demo: the backbone that ships")
    add("--processes", type=int, default=2, help="that render")
    add("--seed", type=int, default=0, help="of everything that is drawn")
    return parser.parse_args()


def _sizes(text: str) -> dict[tuple[int, int], int]:
    """`112x112:3,196x112:1` -> size -> its share of the steps."""
    found = re.fullmatch(r"(\d+x\d+:\d+,)+", f"{text},")
    if not found:
        raise argparse.ArgumentTypeError(f"want WIDTHxHEIGHT:SHARE,..., got {text!r}")
    parts = [re.split("[x:]", part) for part in text.split(",")]
    return {(int(width), int(height)): int(share) for width, height, share in parts}


def _scenes(text: str) -> dict[str, int]:
    """`world:3,varied:1` -> scene -> its share of the clips."""
    parts = [part.partition(":") for part in text.split(",")]
    if any(name not in ALL_SCENES or not share.isdecimal() for name, _, share in parts):
        raise argparse.ArgumentTypeError(f"want NAME:SHARE,... of {', '.join(ALL_SCENES)}")
    return {name: int(share) for name, _, share in parts}


def _parts(wish: argparse.Namespace) -> tuple[tuple[int, int], ...]:
    """First seed and number of the clips to train on, and of those to look at."""
    return (0, wish.clips), (HELD_OUT_SEED, wish.held_out)


def _mix(wish: argparse.Namespace, first_seed: int, clips: int) -> Mix:
    """Clips of all scenes and sizes, as many of each as its share; no seed twice."""
    kinds = [
        (scene, size_wh, of_scene * of_size)
        for scene, of_scene in wish.scenes.items()
        for size_wh, of_size in wish.sizes.items()
    ]
    whole = sum(share for _, _, share in kinds)
    footage = [
        _footage(
            wish.out,
            Recipe(
                scene,
                first_seed + number * SEEDS_OF_A_KIND,
                max(1, clips * share // whole),
                frames=wish.frames,
                fps=wish.fps,
                apart=wish.apart,
                size_wh=size_wh,
            ),
            wish.processes,
        )
        for number, (scene, size_wh, share) in enumerate(kinds)
    ]
    return Mix(footage, [share for _, _, share in kinds])


def _before(start: str) -> Mapping[str, torch.Tensor]:
    if start == DEMO:
        return {f"backbone.{name}": own for name, own in read_demo().backbone.items()}
    before: Mapping[str, torch.Tensor] = torch.load(start, weights_only=True)["student"]
    return before


def _training(wish: argparse.Namespace, own: Mix) -> Training:
    plan = Plan(
        steps=wish.steps,
        warmup=min(200, (wish.steps - wish.heads_first) // 10),
        learning_rate=wish.learning_rate,
        dtype=training_dtype(torch.device("cpu")),
        seed=wish.seed,
        heads_first=wish.heads_first,
    )

    def batches(draw: torch.Generator) -> Clips:
        return own.draw(wish.batch, draw)

    agree = replace(AGREE, agree=wish.agree, spread=wish.spread)
    width = architecture(DEMO_MODEL).width
    agreement = Agreement(width, agree) if agree.agree or agree.spread else None
    return Training(_student(wish), batches, _turned(), plan, agreement)


def _say(text: str) -> None:
    print(text, flush=True)


def _footage(out: Path, recipe: Recipe, processes: int) -> Footage:
    began_s, first = time.monotonic(), -1
    for done in render(out / "footage", recipe, processes=processes):
        first = done if first < 0 else first
        rate = (done - first) * recipe.frames / (time.monotonic() - began_s)
        told = f"{recipe.name}: {done} of {recipe.clips} clips, {rate:.0f} frames/s"
        print(told, file=sys.stderr, flush=True)
    return Footage(out / "footage", recipe)


def _student(wish: argparse.Namespace) -> Student:
    arch = architecture(DEMO_MODEL)
    torch.manual_seed(wish.seed)
    student = Student(arch, classes=len(PEOPLED.labels), actions=len(ACTIONS), frames=wish.frames)
    student.backbone.load_state_dict(random_tensors(arch, wish.seed))
    return student


def _turned() -> Turned:
    def indices(becomes: dict[str, str], otherwise: int | None) -> torch.Tensor:
        rows = [
            ACTIONS.index(becomes[name]) if name in becomes
            else (number if otherwise is None else otherwise)
            for number, name in enumerate(ACTIONS)
        ]  # fmt: skip
        return torch.tensor(rows)

    return Turned(mirrored=indices(_MIRRORED, None), reversed=indices(_REVERSED, -1))


def _watched(training: Training, unseen: Mix, checkpoint: Path) -> Iterator[dict[str, Any]]:
    """Train, saving and looking now and then; yields what was seen."""
    looked_s = saved_s = time.monotonic()
    first_step, began_s = training.step, looked_s
    sums: dict[str, float] = {}
    count = 0
    for parts in training.run():
        count += 1
        sums = {name: sums.get(name, 0.0) + part for name, part in parts.items()}
        now_s = time.monotonic()
        last = training.step == training.plan.steps
        if now_s - looked_s >= LOOK_S or last:
            mean = {name: round(value / count, 4) for name, value in sums.items()}
            steps_per_s = (training.step - first_step) / (now_s - began_s)
            yield {
                "step": training.step,
                "left_s": round((training.plan.steps - training.step) / steps_per_s),
                **mean,
                "held_out": {part.name: _looked(training, part) for part in unseen.parts},
            }
            sums, count, looked_s = {}, 0, time.monotonic()
        if now_s - saved_s >= SAVE_S or last:
            training.save(checkpoint)
            saved_s = time.monotonic()


def _looked(training: Training, unseen: Footage) -> dict[str, float]:
    """Scores on held-out footage, the mean over all of it."""
    sums: dict[str, float] = {}
    for first in range(0, len(unseen), _LOOKED_AT):
        numbers = range(first, min(first + _LOOKED_AT, len(unseen)))
        for name, score in training.scores(unseen.clips(numbers)).items():
            sums[name] = sums.get(name, 0.0) + score * len(numbers)
    return {name: round(value / len(unseen), 4) for name, value in sums.items()}


def _export(student: Student, path: Path) -> None:
    tensors = {name: own.half().contiguous() for name, own in student.backbone.state_dict().items()}
    with whole_file(path) as draft:
        save_file(tensors, draft, metadata={"format": "pt"})
