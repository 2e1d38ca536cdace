"""The clip that is demonstrated: a rendered scene as a real H.264 file, or what the user names.

A scene is rendered once and kept; a small file beside it says which scene it holds.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import SinkError
from pipeline.synthetic.uri import SCHEME, SceneSpec, parse_scene_uri

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# A car comes along a street. No training has seen the seed.
SHOWN = SceneSpec(scene="world", seed=30_007, seconds=6.4, size_wh=(640, 360))


@dataclass(frozen=True, slots=True)
class DemoClip:
    """What is played.

    Attributes:
        source: as `dinostream replay` takes it.
        scene: what it shows, exactly; None where nobody knows.
    """

    source: str
    scene: SceneSpec | None = None


def given_clip(source: str) -> DemoClip:
    """The user's own clip; a scene's URI brings its truth along.

    Raises:
        UsageError: a wrong scene.
    """
    return DemoClip(source, parse_scene_uri(source) if source.startswith(SCHEME) else None)


def rendered_clip(folder: Path, say: Callable[[str], None], *, scene: SceneSpec) -> DemoClip:
    """The rendered scene, encoded where it is not there yet.

    Args:
        folder: where `scene.mp4` lies; made where it is missing.
        say: told before rendering, which takes some seconds.
        scene: what to render.

    Raises:
        SinkError: the folder cannot be written.
    """
    path = folder / "scene.mp4"
    note = folder / "scene.txt"
    clip = DemoClip(str(path), scene)
    try:
        named = f"{scene.canonical()}, named in the file"  # older clips name no scene
        if path.exists() and note.exists() and note.read_text() == named:
            return clip
        folder.mkdir(parents=True, exist_ok=True)
        note.unlink(missing_ok=True)
        width, height = scene.size_wh
        say(
            f"rendering {path}: {scene.seconds:g} s, {width}x{height}, {scene.fps} frames/s, "
            "H.264; once, about 15 s"
        )
        _encode(path, scene)
        _write(note, named)
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror or error}") from error
    return clip


def _encode(path: Path, scene: SceneSpec) -> None:
    from pipeline.media.encode import write_clip

    write_clip(path, _frames(scene), fps=scene.fps, scene=scene.canonical())


def _frames(scene: SceneSpec) -> Iterator[NDArray[np.uint8]]:
    from pipeline.synthetic.scene import open_scene

    opened = open_scene(scene)
    for index in range(opened.frame_count):
        yield opened.render(index).rgb


def _write(path: Path, text: str) -> None:
    draft = path.with_suffix(".part")
    draft.write_text(text)
    os.replace(draft, path)
