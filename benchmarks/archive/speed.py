"""How much faster heads run over an archive than over footage: one job twice, on one machine."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_specs
from pipeline.engine.assembly import Assembly, assemble
from pipeline.fit.fit_features import BasisPlan, fit_features
from pipeline.runtime.inline import InlineRun

log = logging.getLogger(__name__)

HEADS = {
    "embedding": ["embedding"],
    "segmentation": ["segmentation"],
    "depth, segmentation, action, embedding": ["depth", "segmentation", "action", "embedding"],
}


def speed(clips: Sequence[Path], folder: Path, backbone: dict[str, Any], rounds: int) -> list[Any]:
    """Frames per second of jobs that read footage, and of those that read what was kept.

    Args:
        clips: recordings.
        folder: for archives and databases.
        backbone: configuration keys: weights, model, short_side.
        rounds: interleaved; the medians count.

    Returns:
        One JSON object per set of heads.
    """
    found = []
    for name, operators in HEADS.items():
        values = {**backbone, "operators": operators, "runtime": "inline"}
        values |= {"sources": [str(clip) for clip in clips]}
        own = folder / f"{len(found)}"
        basis = own / "basis.safetensors"
        fit_features(resolve(None, values), BasisPlan(basis, 64, 200), tell=lambda *_: None)
        features = {"dir": str(own / "kept"), "basis": str(basis)}
        _run({**values, "features": features}, own / "kept.db")
        kept = {**values, "sources": [f"features:{own / 'kept'}"]}
        rates: dict[str, list[float]] = {"footage": [], "features": []}
        for turn in range(rounds):
            rates["footage"].append(_run(values, own / f"footage-{turn}.db"))
            rates["features"].append(_run(kept, own / f"features-{turn}.db"))
        middle = {key: sorted(own)[len(own) // 2] for key, own in rates.items()}
        ratio = middle["features"] / middle["footage"]
        found.append({"heads": name, "frames_per_s": rates, "ratio": round(ratio, 2)})
        log.info("%s: %s", name, found[-1])
    return found


def _run(values: dict[str, Any], database: Path) -> float:
    """Frames per second, from the engine's first turn to the last commit."""
    config = resolve(None, {**values, "sink": f"sqlite:{database}"})
    ready = assemble(config)
    began_s = 0.0

    def build(_: Any) -> Assembly:
        nonlocal began_s
        began_s = time.perf_counter()
        return ready

    specs = stream_specs(config, live=False)
    run = InlineRun(config, specs, fresh=True, tell=lambda _: None, build=build)
    tally = run.run()
    return tally.frames / (time.perf_counter() - began_s)
