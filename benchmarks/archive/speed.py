"""How much less heads cost over an archive than over footage: one job twice, on one machine.

In CPU time, of decoders too: it means the same on a machine that others use as well.
"""

from __future__ import annotations

import logging
import resource
import shutil
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

HEADS = (["embedding"], ["segmentation"], ["depth", "segmentation", "action", "embedding"])


def speed(clips: Sequence[Path], folder: Path, backbone: dict[str, Any]) -> list[dict[str, Any]]:
    """What a frame costs in jobs that read footage, that keep features beside, and that read those.

    Args:
        clips: recordings, played as one stream.
        folder: for archives and databases.
        backbone: configuration keys: weights, model, short_side.

    Returns:
        One JSON object per set of heads.
    """
    footage = folder / "footage"
    footage.mkdir(parents=True)
    for clip in clips:
        shutil.copy(clip, footage)
    found = []
    for operators in HEADS:
        own, name = folder / operators[0], ", ".join(operators)
        own.mkdir()
        values = {**backbone, "operators": operators, "runtime": "inline", "join": True}
        values |= {"sources": [str(footage)]}
        basis = own / "basis.safetensors"
        fit_features(resolve(None, values), BasisPlan(basis, 64, 100), tell=lambda *_: None)
        features = {"dir": str(own / "kept"), "basis": str(basis)}
        kept = {**values, "join": False, "sources": [f"features:{own / 'kept'}"]}
        cost = {
            "footage": _cost(values, own / "footage.db"),
            "footage, features kept": _cost({**values, "features": features}, own / "kept.db"),
            "features": _cost(kept, own / "features.db"),
        }
        ratio = cost["footage"]["cpu_ms"] / cost["features"]["cpu_ms"]
        found.append({"heads": name, "per_frame": cost, "cpu_ratio": round(ratio, 2)})
        log.info("%s: %s", name, found[-1])
    return found


def _cost(values: dict[str, Any], database: Path) -> dict[str, float]:
    """Of a frame, from the engine's first turn to the last commit."""
    config = resolve(None, {**values, "sink": f"sqlite:{database}"})
    ready = assemble(config)
    cpu_s = wall_s = 0.0

    def build(_: Any) -> Assembly:
        nonlocal cpu_s, wall_s
        cpu_s, wall_s = _cpu_s(), time.perf_counter()
        return ready

    specs = stream_specs(config, live=False)
    tally = InlineRun(config, specs, fresh=True, tell=lambda _: None, build=build).run()
    spent = {"cpu_ms": _cpu_s() - cpu_s, "wall_ms": time.perf_counter() - wall_s}
    return {name: round(1000 * value / tally.frames, 2) for name, value in spent.items()} | {
        "frames": tally.frames
    }


def _cpu_s() -> float:
    """Of this process, and of its children that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)
