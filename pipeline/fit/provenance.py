"""What a head's fit was given: contents in -> what its header says of them, and whether data that
it is measured on are among them.

A content is a file's, wherever it lies, or a scene with its seed. Knows nothing of training.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from operators.weights.head_needs import RENDERED
from pipeline.features.clip import content_of, is_scene
from pipeline.fit.evaluation import Evaluation
from pipeline.synthetic.uri import parse_scene_uri

SOURCES = "sources"  # in a header: contents that the fit was given


def source_of(name: str) -> str:
    """The content of a recording, picture or scene, as headers and evaluations name it."""
    if not is_scene(name):
        return content_of(name)
    scene = parse_scene_uri(name)
    return f"{scene.scene} {scene.seed}"


def provenance_facts(sources: Iterable[str], *, rendered: bool) -> dict[str, Any]:
    """What a header says of them.

    Args:
        sources: contents, as `source_of` names them.
        rendered: all of them are scenes.
    """
    return {SOURCES: sorted(set(sources)), **({RENDERED: True} if rendered else {})}


def held_against(
    evaluation: Evaluation, groups: Iterable[str], header: Mapping[str, Any]
) -> Evaluation:
    """The same, with how much of its data the fit was given, said before all else.

    Args:
        evaluation: what was measured.
        groups: contents that it was measured on.
        header: of the head.
    """
    measured, given = set(groups), header.get(SOURCES)
    if not isinstance(given, list):
        return replace(evaluation, notes=(*evaluation.notes, _UNKNOWN))
    known = len(measured & set(given))
    return replace(evaluation, given_to_fit=known, caution=_caution(known, len(measured)))


def _caution(known: int, measured: int) -> str:
    if not known:
        return ""
    which = "all" if known == measured else f"{known} of the {measured}"
    return (
        f"CAUTION: the fit of this head was given {which} files or scenes that it is measured on "
        "here; these numbers flatter it, measure it on others"
    )


_UNKNOWN = (
    "its header does not name what its fit was given: whether these data were held out only you "
    "know"
)
