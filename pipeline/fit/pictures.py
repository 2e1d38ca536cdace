"""A folder with a folder of pictures per class -> labelled pictures. Opens none of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from operators.errors import UsageError
from pipeline.configuration.folder import pictures_below
from pipeline.fit.spans import refuse_few_classes
from pipeline.media.filename import is_picture, is_system


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """One picture and its class."""

    path: Path
    label: str


def pictures_in_folders(place: str) -> list[LabelledPicture]:
    """Every picture in a class's folder or below it.

    Args:
        place: a folder with a folder per class.

    Raises:
        UsageError: no such folder, pictures in no class, an empty class, or fewer than two.
    """
    folder = Path(place)
    if not folder.is_dir():
        raise UsageError(f"no such folder: {place}; it holds a folder of pictures per class")
    stray = sorted(path.name for path in folder.iterdir() if is_picture(path.name))
    if stray:
        raise UsageError(
            f"{folder}: pictures in no class's folder: {', '.join(stray[:4])}"
            f"{' ...' if len(stray) > 4 else ''}; put them into {folder}/CLASS/"
        )
    classes = sorted(one for one in folder.iterdir() if one.is_dir() and not is_system(one.name))
    found = {one.name: pictures_below(one) for one in classes}
    refuse_few_classes(found, place)
    return [LabelledPicture(path, name) for name, paths in found.items() for path in paths]
