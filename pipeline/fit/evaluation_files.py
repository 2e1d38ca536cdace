"""An evaluation as files: JSON, the table of conditions, and the pictures of confusion and
reliability, each whole or not."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from operators.whole_file import whole_file
from pipeline.errors import SinkError
from pipeline.fit.conditions_table import conditions_table
from pipeline.fit.confusion_picture import confusion_picture
from pipeline.fit.evaluation import Evaluation
from pipeline.fit.reliability_picture import reliability_picture

_UNITS = {"segmentation": "pixels", "action": "windows", "classify": "pictures"}


def write_evaluation(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write them, named after the task; files of those names are replaced.

    Args:
        evaluation: what was measured.
        folder: made where it is missing.

    Raises:
        SinkError: they cannot be written.
    """
    task = evaluation.task
    title = f"{task}: {evaluation.what}"
    files = [folder / f"{task}.json"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(files[0], (json.dumps(evaluation.plain(), indent=1) + "\n").encode())
        if evaluation.confusion is not None:
            unit = _UNITS[task]
            image = confusion_picture(
                evaluation.confusion, evaluation.labels, title=title, unit=unit
            )
            files.append(_save(image, folder / f"{task}.confusion.png"))
        if evaluation.conditions:
            files.append(folder / f"{task}.conditions.md")
            _write(files[-1], ("\n".join(conditions_table(evaluation)) + "\n").encode())
        if evaluation.curve is not None:
            image = reliability_picture(evaluation.curve, title=title)
            files.append(_save(image, folder / f"{task}.reliability.png"))
    except OSError as error:
        raise SinkError(f"cannot write into {folder}: {error.strerror or error}") from error
    return files


def _save(image: Image.Image, path: Path) -> Path:
    with whole_file(path) as draft:
        image.save(draft, format="PNG")
    return path


def _write(path: Path, content: bytes) -> None:
    with whole_file(path) as draft:
        draft.write_bytes(content)
