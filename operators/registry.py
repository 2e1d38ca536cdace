"""Operators by name: a built-in one, or a user's own class as `package.module:Class`.

Name, settings and head in -> an operator that is ready to load. Must not know samplings or streams.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from operators.action.build import build_action
from operators.anomaly.operator import build_anomaly
from operators.backbones.architectures import Architecture
from operators.depth.operator import build_depth
from operators.detect.build import build_detect
from operators.errors import UsageError
from operators.format import BUILT_IN, Format
from operators.names import check_name, has_head, is_own, look_here, no_module
from operators.operator import Operator
from operators.pca.operator import build_pca
from operators.pictures.operator import build_frames
from operators.segmentation.operator import build_segmentation
from operators.tamper.operator import build_tamper
from operators.track.operator import build_track
from operators.vector.classify import build_classify
from operators.vector.embedding import build_embedding
from operators.weights.backbone_choice import DEMO
from operators.weights.head_needs import HeadNeeds, chosen_header
from operators.weights.head_request import HeadRequest
from operators.zones.operator import build_zones

Builder = Callable[[Mapping[str, Any], HeadRequest], Operator]

BUILDERS: Mapping[str, Builder] = {
    "depth": build_depth,
    "segmentation": build_segmentation,
    "classify": build_classify,
    "action": build_action,
    "embedding": build_embedding,
    "pca": build_pca,
    "frames": build_frames,
    "detect": build_detect,
    "zones": build_zones,
    "track": build_track,
    "tamper": build_tamper,
    "anomaly": build_anomaly,
}
_TOPICS = (topic.partition(".")[0] for topics in BUILT_IN.values() for topic in topics)
_RESERVED = tuple(
    dict.fromkeys(
        (*BUILT_IN, *_TOPICS, "features", "events", "deadletter", "labels", "progress", "claims")
    )
)
_TOPIC = re.compile(r"[a-z][a-z0-9_-]{0,62}(\.[a-z0-9_-]{1,63})*")


def build_operator(
    name: str,
    settings: Mapping[str, Any],
    *,
    architecture: Architecture,
    backbone_sha256: str,
    head: str | None = None,
    random_seed: int | None = None,
    rendered_only: bool = False,
    cache_dir: Path | None = None,
) -> Operator:
    """An operator as a user asked for it.

    Args:
        name: one of `BUILDERS`, or `package.module:Class`, whose constructor takes the settings as
            keyword arguments.
        settings: what the user set for it.
        architecture: the backbone's sizes.
        backbone_sha256: identity of the backbone's weights.
        head: official name, path or `random`; None where the user said nothing.
        random_seed: seed under `--weights random`, else None.
        rendered_only: the backbone has learnt from rendered scenes alone.
        cache_dir: where official files are kept.

    Raises:
        MissingHead: it needs a head and was given none.
        UsageError: no such operator, or a setting or the head does not do.
    """
    request = HeadRequest(name, architecture, backbone_sha256, head, random_seed, cache_dir)
    if not has_head(name):
        request.refuse_head()
    build = _own if is_own(name) else _builder(name)
    operator = build(settings, request)
    if random_seed is not None:
        operator.untrained = True  # whatever its head: the features it reads mean nothing
    operator.rendered_only = (
        _learnt_from_scenes(name, head) if operator.head_sha256 else rendered_only
    )
    return operator


def _learnt_from_scenes(operator: str, head: str | None) -> bool:
    """A head decides: one that was trained on footage knows footage, whatever the backbone saw."""
    header = chosen_header(operator, head)
    return head == DEMO or HeadNeeds.of(header or {}).rendered_only


def _builder(name: str) -> Builder:
    check_name(name)
    return BUILDERS[name]


def _own(settings: Mapping[str, Any], request: HeadRequest) -> Operator:
    name = request.operator
    kind = _imported(name)
    if not isinstance(kind, type) or not issubclass(kind, Operator):
        raise UsageError(f"operator {name}: must be a subclass of operators.operator.Operator")
    if inspect.isabstract(kind):
        missing = ", ".join(sorted(kind.__abstractmethods__))
        raise UsageError(f"operator {name}: the class does not define {missing}")
    try:
        inspect.signature(kind).bind(**settings)
    except TypeError as error:
        takes = ", ".join(inspect.signature(kind).parameters) or "none"
        raise UsageError(f"operator {name}: {error}; its settings: {takes}") from error
    try:
        operator = kind(**settings)
    except (TypeError, ValueError) as error:
        raise UsageError(f"operator {name}: refuses its settings: {error}") from error
    _check_topics(name, operator)
    return operator


def _imported(name: str) -> object:
    module_name, _, class_name = name.partition(":")
    look_here()
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise no_module(name, str(error)) from error
    except Exception as error:  # whatever a user's module does wrong while it loads
        raise UsageError(f"operator {name}: importing {module_name!r} fails: {error!r}") from error
    found = getattr(module, class_name, None)
    if found is None:
        classes = [key for key, value in vars(module).items() if isinstance(value, type)]
        near = get_close_matches(class_name, classes, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"operator {name}: no class {class_name!r} in {module_name}{hint}")
    return found


def _check_topics(name: str, operator: Operator) -> None:
    """Its name makes topics and record ids, and must be nobody else's."""
    own = getattr(operator, "name", None)
    if not isinstance(own, str) or not _TOPIC.fullmatch(own) or own.split(".")[0] in _RESERVED:
        raise UsageError(
            f"operator {name}: its name is {own!r}; want lower-case letters, digits, - and _, "
            f"and none of {', '.join(_RESERVED)}"
        )
    formats = operator.topics
    if not isinstance(formats, Mapping) or not all(
        isinstance(one, Format) for one in formats.values()
    ):
        raise UsageError(
            f"operator {name}: its topics must be a mapping from topic to operators.format.Format, "
            f"such as {{{own!r}: Format()}}; got {formats!r}"
        )
    odd = [topic for topic in formats if topic != own and not topic.startswith(f"{own}.")]
    if odd or not all(_TOPIC.fullmatch(topic) for topic in formats):
        raise UsageError(f"operator {name}: its topics must be {own} or {own}.NAME, got {odd}")
