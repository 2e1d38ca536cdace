"""What a user named as SOURCE -> picture files, and recordings as replay takes them.

Reads directories and the ends of recordings; decodes nothing.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from operators.errors import UsageError
from pipeline.configuration.folder import pictures_below, videos_below
from pipeline.configuration.source_plan import SourcePlan
from pipeline.configuration.sources import plan_recordings
from pipeline.configuration.tapes import tapes_in
from pipeline.media.filename import is_picture, is_video


@dataclass(frozen=True, slots=True)
class Named:
    """
    Attributes:
        pictures: absolute paths, each once.
        recordings: in a fixed order.
    """

    pictures: tuple[Path, ...]
    recordings: tuple[SourcePlan, ...]


def named(sources: Sequence[str], *, run: Path) -> Named:
    """
    Args:
        sources: picture files, and folders and globs of them; all that
            `pipeline.configuration.sources.plan_recordings` takes. A folder may hold both.
        run: the folder that a training makes; its pictures are made of the sources, and are none.

    Raises:
        UsageError: a source that holds neither, nothing but the run's, or features without
            pictures; the text names it.
    """
    pictures: dict[Path, None] = {}
    footage = []
    for source in sources:
        found = _pictures(source)
        made = _below({one.parent for one in found}, run)
        own = [one for one in found if one.parent not in made]
        pictures |= dict.fromkeys(own)
        folder = os.path.isdir(source)
        if folder and (any(videos_below(source)) or tapes_in(source)):
            footage.append(source)
        elif found and not own:
            raise UsageError(
                f"{source}: its pictures lie in {run}, where this training puts its own, which "
                "are no source of it; name what they were made of"
            )
        elif not folder:
            footage += [] if own else [source]
        elif not own:
            raise UsageError(f"{source}: neither a picture nor a video is there or below it")
    plans = plan_recordings(footage) if footage else []
    for plan in plans:
        if plan.kept_at is not None:
            raise UsageError(f"{plan.url} holds features without pictures; name the footage itself")
    return Named(tuple(pictures), tuple(plans))


def _below(folders: set[Path], run: Path) -> set[Path]:
    """Those that lie in a run's folder, by whatever way they were reached."""
    own = os.path.realpath(run)
    return {one for one in folders if Path(os.path.realpath(one)).is_relative_to(own)}


def _pictures(source: str) -> list[Path]:
    """A `.gif` is a video here."""
    if os.path.isdir(source):
        found = [one for one in pictures_below(Path(source)) if not is_video(one.name)]
    elif glob.has_magic(source) and not os.path.lexists(source):
        matching = [Path(one) for one in sorted(glob.glob(source, recursive=True))]
        found = matching if all(map(_is_picture, matching)) else []
    else:
        found = [one for one in (Path(source),) if _is_picture(one)]
    return [Path(os.path.abspath(one)) for one in found]


def _is_picture(path: Path) -> bool:
    return is_picture(path.name) and not is_video(path.name) and path.is_file()
