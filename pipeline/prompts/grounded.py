"""Recordings and words -> a file of boxes, which a replay takes as the head of `detect`.

Frames are sampled, named and sized as replay does, so that each box finds its frame again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from operators.detect.told_boxes import FORMAT
from operators.errors import UsageError
from operators.frames import FrameInfo
from operators.outside.grounding import Asked, GroundedBox, GroundingDino
from operators.whole_file import whole_file
from pipeline.configuration.source_plan import SourcePlan
from pipeline.errors import SinkError
from pipeline.features.recorded import recorded_spec
from pipeline.follow.shown import whole
from pipeline.media.frame_size import FrameSize
from pipeline.prompts.frame import frames_of

_GLANCE = FrameSize(16, patch=1)
_PIXEL_DECIMALS, _DECIMALS = 2, 6  # as records of detections have them

Tell = Callable[[str], None]


@dataclass(slots=True)
class Grounded:
    """What was found.

    Attributes:
        frames: that were looked at.
        things: how many there are of each name.
        trouble: stream -> why frames of it were lost; empty where none were.
    """

    frames: int = 0
    things: Counter[str] = field(default_factory=Counter)
    trouble: dict[str, str] = field(default_factory=dict)


def ground(
    plans: Sequence[SourcePlan],
    dino: GroundingDino,
    asked: Asked,
    path: Path,
    *,
    fps: float,
    tell: Tell,
) -> Grounded:
    """Write the file; it is there whole or not at all.

    Args:
        plans: the recordings.
        dino: finds things.
        asked: which.
        path: of the file.
        fps: frames per second that are looked at.
        tell: told how far it is.

    Raises:
        UsageError: nothing of the recordings can be decoded, or too many words.
        SinkError: the file cannot be written.
    """
    done = Grounded()
    head = {"format": FORMAT, "labels": list(asked.phrases), "detector": dino.identity(asked)}
    try:
        with whole_file(path) as draft:
            with draft.open("w", encoding="utf-8") as file:
                _write(file, head)
                for plan in plans:
                    _ground_one(plan, dino, asked, file, done, fps=fps, tell=tell)
            if not done.frames:
                raise UsageError(f"no frame of {len(plans)} recordings can be decoded")
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({error.strerror or error})") from error
    return done


def _ground_one(
    plan: SourcePlan,
    dino: GroundingDino,
    asked: Asked,
    file: IO[str],
    done: Grounded,
    *,
    fps: float,
    tell: Tell,
) -> None:
    size = _whole(plan, fps)
    if size is None:
        done.trouble[plan.stream] = "nothing in it can be decoded"
        return
    frames = frames_of(recorded_spec(plan, size, fps))
    while True:
        try:
            info, pixels = next(frames)
        except StopIteration as ended:
            end = ended.value
            break
        found = dino.boxes(pixels, asked)
        done.frames += 1
        line = _line(info, pixels, found)
        done.things.update(one["name"] for one in line["objects"])
        _write(file, line)
        tell(f"{plan.stream}: {done.frames} frames, {done.things.total()} things")
    if end is not None and end.outcome != "ok":
        done.trouble[plan.stream] = end.detail or end.outcome


def _whole(plan: SourcePlan, fps: float) -> FrameSize | None:
    """As large as its first frame is; None where it has none."""
    with closing(frames_of(recorded_spec(plan, _GLANCE, fps))) as frames:
        first = next(frames, None)
    return None if first is None else whole(first[0].source_hw)


def _line(info: FrameInfo, pixels: NDArray[np.uint8], found: list[GroundedBox]) -> dict[str, Any]:
    height, width = info.source_hw  # other than the pixels' where it changes within a recording
    down, across = height / pixels.shape[0], width / pixels.shape[1]
    objects = []
    for one in found:
        sides = zip(one.box, (across, down, across, down), strict=True)
        left, top, right, bottom = (round(side * by, _PIXEL_DECIMALS) for side, by in sides)
        box, score = [left, top, right, bottom], round(one.score, _DECIMALS)
        if left < right and top < bottom and score > 0:  # else it would be told as nothing
            objects.append({"box": box, "name": one.name, "score": score})
    frame = {"stream": info.stream, "session": info.session, "position": info.position}
    return {**frame, "objects": objects}


def _write(file: IO[str], said: dict[str, Any]) -> None:
    file.write(json.dumps(said, ensure_ascii=False) + "\n")
