"""What a configuration says of kept features: where they go, and archives as sources."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, PositiveInt

from operators.archive.kind import Kind
from operators.errors import UsageError
from pipeline.archive.archive import SCHEME, Archive
from pipeline.archive.header import Header
from pipeline.archive.rules import check_rules
from pipeline.configuration.source_plan import SourcePlan
from pipeline.configuration.values import not_empty
from pipeline.errors import SourceError
from pipeline.media.fingerprint import SESSION_DIGITS
from pipeline.stream.gate import Gate

if TYPE_CHECKING:
    from pipeline.configuration.config import Config
    from pipeline.stream.spec import StreamSpec

# Whole, because engines stand in other folders.
_Path = Annotated[str, AfterValidator(not_empty), AfterValidator(os.path.abspath)]


class KeepConfig(BaseModel):
    """Where the features of every computed frame are kept, and in which basis."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    dir: _Path
    basis: _Path
    components: PositiveInt | None = None


def is_archive(source: str) -> bool:
    """Whether a source names an archive."""
    return source.startswith(SCHEME)


def whole_path(source: str) -> str:
    """The same source; an archive by its whole path."""
    if not is_archive(source):
        return source
    return SCHEME + os.path.abspath(source.removeprefix(SCHEME))


def archives_in(config: Config) -> list[Archive]:
    """Those that a configuration names as sources, each once."""
    names = dict.fromkeys([*config.sources, *(one.url for one in config.streams.values())])
    found = [Path(whole_path(one).removeprefix(SCHEME)) for one in names if is_archive(one)]
    if found and len(found) < len(names):
        raise UsageError(
            "kept features and footage are not read in one job: another thing computes them; run "
            "them one after the other, into the same sink"
        )
    return [Archive(one) for one in found]


def plans_in(source: str) -> list[tuple[str, SourcePlan]]:
    """The streams of an archive under their names.

    Raises:
        UsageError: there is none, one cannot be read, or a stream was kept at several sizes.
    """
    archive = Archive(Path(whole_path(source).removeprefix(SCHEME)))
    return [(stream, _plan(archive, stream, heads)) for stream, heads in _heads(archive).items()]


def kind_of(config: Config) -> tuple[Archive, Kind] | None:
    """What all frames of a job's archives have in common, and one that holds their basis; None of
    a job that reads none.

    Raises:
        UsageError: they differ, or one cannot be read.
    """
    kinds = {
        header.kind: archive
        for archive in archives_in(config)
        for heads in _heads(archive).values()
        for header in heads
    }
    if len(kinds) > 1:
        told = "; ".join(f"{one.identity} in {archive.root}" for one, archive in kinds.items())
        raise UsageError(f"features of several kinds are not read in one job: {told}")
    return next(((archive, kind) for kind, archive in kinds.items()), None)


def refuse_unlike(spec: StreamSpec, plan: SourcePlan, *, live: bool) -> None:
    """Of a stream of an archive: what can only be done to pictures, or needs other frames.

    Args:
        spec: how it is to be read.
        plan: of it.
        live: it is to be followed.

    Raises:
        UsageError: it is asked for.
    """
    if live:
        raise UsageError(
            f"{spec.stream} comes from kept features, which `replay` reads; `run` follows footage"
        )
    for key, given in (("region", spec.region), ("shots", spec.shots)):
        if given is not None:
            raise UsageError(
                f"{key}: {spec.stream} comes from kept features, which have no pictures; leave "
                f"{key} out"
            )
    if spec.short_side != plan.kept_at:
        raise UsageError(
            f"short_side: features of {spec.stream} were kept at {plan.kept_at} px; leave "
            "short_side out"
        )
    for rules in plan.kept_rules:
        check_rules(rules, spec.samplings)


def _heads(archive: Archive) -> dict[str, list[Header]]:
    """Stream -> the headers of its sessions, in order."""
    try:
        found = archive.headers()
    except SourceError as error:
        raise UsageError(
            f"{error}; put a whole copy there, read it with the version that kept it, or move that "
            "session's folder out of the archive"
        ) from error
    if not found:
        raise UsageError(
            f"{archive.root}: no features are kept there; replay or run with --keep-features makes "
            "such a folder"
        )
    return found


def _plan(archive: Archive, stream: str, heads: list[Header]) -> SourcePlan:
    sides = {header.short_side for header in heads}
    if len(sides) > 1:
        raise UsageError(
            f"{stream}: its sessions were kept at short sides of {', '.join(map(str, sides))} px; "
            "move those of one size to another folder"
        )
    gates = {Gate(**header.gate) if header.gate else None for header in heads}
    if len(gates) > 1:
        told = " and ".join(sorted(one.canonical() if one else "none" for one in gates))
        raise UsageError(
            f"{stream}: its sessions were kept with the gates {told}; move those of one gate to "
            "another folder"
        )
    url, session = str(archive.folder(stream)), _session(stream, heads)
    return SourcePlan(
        *("", url, False, session),
        kept_at=sides.pop(),
        kept_by=_kept_by(heads),
        kept_gate=gates.pop(),
        kept_rules=tuple(dict.fromkeys(header.samplings for header in heads)),
    )


def _session(stream: str, heads: list[Header]) -> str:
    """Of the archive as it is: one that has more sessions by now, or others' frames of the same
    sessions, is another recording."""
    return _digest(["features", stream, *_writers(heads)])


def _kept_by(heads: list[Header]) -> str:
    """Sessions that the same job adds do not change it: the others' frames are the same ones."""
    jobs = {header.job for header in heads}
    return jobs.pop() if len(jobs) == 1 else _digest(_writers(heads))


def _writers(heads: list[Header]) -> list[tuple[str, str]]:
    """Which session is whose."""
    return [(header.session, header.job) for header in heads]


def _digest(said: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:SESSION_DIGITS]
