"""The clip of a benchmark: a rendered room as a real H.264 file, made once and kept.

Workload in -> path out. The same for every contender and every round.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.bench.workload import Workload
from pipeline.errors import SinkError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def bench_clip(workload: Workload, folder: Path, tell: Callable[[str], None]) -> Path:
    """The clip, rendered where it is not there yet.

    Args:
        workload: whose.
        folder: where clips are kept; made where it is missing.
        tell: told before rendering, which takes a while.

    Raises:
        SinkError: the folder cannot be written.
    """
    scene = workload.scene
    what = f"{scene.canonical()} for {workload.seconds:g} s"
    path = folder / f"room-{hashlib.sha256(what.encode()).hexdigest()[:12]}.mp4"
    if path.exists():
        return path
    width, height = scene.size_wh
    tell(f"rendering {workload.seconds:g} s of {width}x{height} into {path}, once")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(path, workload)
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def _write(path: Path, workload: Workload) -> None:
    from pipeline.media.encode import write_clip

    write_clip(path, _frames(workload), fps=workload.scene.fps)


def _frames(workload: Workload) -> Iterator[NDArray[np.uint8]]:
    from pipeline.synthetic.scene import open_scene

    scene = open_scene(workload.scene)
    count = round(workload.seconds * scene.spec.fps)
    repeated = count > scene.frame_count
    kept = []
    for index in range(min(count, scene.frame_count)):
        frame = scene.render(index).rgb
        if repeated:
            kept.append(frame)
        yield frame
    for index in range(scene.frame_count, count):
        yield kept[index % scene.frame_count]
