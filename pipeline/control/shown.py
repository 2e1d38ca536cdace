"""What the page of a job shows: the records of its sink, and how its streams fare by itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.configuration.config import Config
from pipeline.configuration.source_plan import SourcePlan
from pipeline.control.board import Board
from pipeline.stream.spec import StreamSpec
from pipeline.view.footage import Footage
from pipeline.view.opening import Entrance, Wish


def entrance_of(specs: Mapping[str, StreamSpec], config: Config, board: Board) -> Entrance:
    """Nothing is read before somebody looks.

    Args:
        specs: the job's streams, whose recordings and tapes are the footage.
        config: says where the records go.
        board: how the streams fare.
    """
    footage = Footage(()) if _hides(config) else _footage(specs)
    wish = Wish(config.sink.uri, footage, settings=config.sink.settings)

    def told() -> Mapping[str, Mapping[str, Any]]:
        return {
            name: {
                "stream": name,
                "state": one.state,
                "reason": one.reason,
                "since_us": since_us,
                "share": one.share,
            }
            for name, (one, since_us) in board.standing().items()
        }

    return Entrance(wish, told)


def _hides(config: Config) -> bool:
    """Whether pictures of the job have something hidden in them."""
    frames = config.operators.get("frames")
    return bool(frames and frames.settings.get("blur"))


def _footage(specs: Mapping[str, StreamSpec]) -> Footage:
    """Recordings that are one file each, and what is taped of cameras."""
    plans = []
    for name, spec in specs.items():
        if spec.taped:
            plans.append(SourcePlan(name, spec.url, False, spec.session, taped=True))
        elif spec.tape:
            folder = str(Path(spec.tape.folder) / name)
            plans.append(SourcePlan(name, folder, False, "", taped=True))
        elif not (spec.endless or spec.join or spec.kept):
            plans.append(SourcePlan(name, spec.url, False, spec.session))
    return Footage(plans)
