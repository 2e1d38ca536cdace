"""The picture as a PNG that says which records it was drawn from, so that it is drawn once.

An image and a mark in -> a whole file or none out; a file in -> its mark out.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, PngImagePlugin

from pipeline.demo.findings import Findings, Footage
from pipeline.errors import SinkError

_KEY = "drawn from"


def mark_of(footage: Footage, findings: Findings) -> str:
    """Names the records that a picture shows: another clip, model or number has another mark."""
    variants = ",".join(variant for _, variant in sorted(findings.variants.items()))
    return f"{footage.stream}/{footage.session}/{len(findings.shots)}/{variants}"


def drawn_from(path: Path) -> str:
    """The mark of the picture that lies there; "" where none of ours does."""
    try:
        with Image.open(path) as image:
            return str(image.info.get(_KEY, ""))
    except OSError:
        return ""


def save_picture(image: Image.Image, path: Path, *, mark: str) -> None:
    """Write or replace the picture.

    Raises:
        SinkError: it cannot be written.
    """
    facts = PngImagePlugin.PngInfo()
    facts.add_text(_KEY, mark)
    draft = path.with_name(f"{path.name}.part")
    try:
        image.save(draft, format="PNG", pnginfo=facts)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise SinkError(f"cannot write {path}: {error.strerror or error}") from error
