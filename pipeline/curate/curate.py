"""Recordings -> a data set in a folder: what each gives, then what is taken of all of it.

The one place that knows how the steps go together. What is given by recordings is the same in any
order and from any number of workers, and what is taken is decided on all of it at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from operators.errors import DinostreamError
from pipeline.configuration.source_plan import SourcePlan
from pipeline.curate.chosen import Chosen, candidates_of, entries_of
from pipeline.curate.folder import DatasetFolder, open_folder
from pipeline.curate.funnel import Funnel
from pipeline.curate.harvest import Harvest
from pipeline.curate.harvester import TOGETHER, Harvester
from pipeline.curate.report import report_of
from pipeline.curate.screening import screen_of
from pipeline.curate.selection import selected
from pipeline.curate.setup import Setup
from pipeline.curate.sheet import contact_sheet
from pipeline.curate.wish import Shown, Wish
from pipeline.dedupe.looking import Look
from pipeline.media.still import read_upright
from pipeline.secrets import mask_url

Tell = Callable[[float | None, str], None]
"""Called with the share that is done and how far that is, in words."""


@dataclass(frozen=True, slots=True)
class Asked:
    """
    Attributes:
        setup: what decides the candidates.
        wish: which of them are wanted; its seeds and references are those below.
        seeds, references: pictures that the user has shown; () where none.
        screen: `module:function` of the user's filter; None: there is none.
    """

    setup: Setup
    wish: Wish
    seeds: tuple[Path, ...] = ()
    references: tuple[Path, ...] = ()
    screen: str | None = None


@dataclass(frozen=True, slots=True)
class Crew:
    """Who reads recordings.

    Attributes:
        workers: how many at a time.
        address: of the Ray cluster that they are of; None: this process, where there is one worker,
            else as of `pipeline.runtime.ray_cluster.cluster`.
    """

    workers: int = 1
    address: str | None = None

    @property
    def here(self) -> bool:
        """In this process."""
        return self.workers == 1 and self.address is None


@dataclass(frozen=True, slots=True)
class Curated:
    """
    Attributes:
        funnel: what became of all frames.
        failed: recordings of which not all was read.
        report: as it lies in the folder.
    """

    funnel: Funnel
    failed: tuple[Harvest, ...]
    report: dict[str, Any]


def curate(
    plans: Sequence[SourcePlan], asked: Asked, folder: Path, *, crew: Crew, tell: Tell
) -> Curated:
    """Make the data set.

    Args:
        plans: of recordings.
        asked: what for.
        folder: that it lies in.
        crew: who reads them.
        tell: hears how far it is.

    Raises:
        UsageError: a setting, a filter, a picture or the folder does not do.
        DinostreamError: nothing of any recording can be read.
        SinkError: the folder cannot be written.
    """
    screen = asked.screen and screen_of(asked.screen)
    with ExitStack() as stack:
        place = stack.enter_context(open_folder(folder))
        harvester = stack.enter_context(closing(Harvester(asked.setup)))
        wish = replace(
            asked.wish,
            seeds=shown(asked.seeds, harvester.look),
            references=shown(asked.references, harvester.look),
        )
        facts = asked.setup.facts(harvester.computed)
        keys = {plan.stream: asked.setup.key(plan, facts) for plan in plans}
        harvests = list(_harvests(plans, keys, place, harvester, crew, tell))
        if all(one.outcome == "rejected" for one in harvests):
            first = harvests[0]
            raise DinostreamError(
                f"none of {len(harvests)} recordings can be read; {first.source}: {first.detail}"
            )
        entries = entries_of(harvests)
        candidates = candidates_of(harvests, entries, screen or None, asked.screen or "")
        decisions = selected(candidates, wish, tell=lambda share: tell(share, "comparing"))
        chosen = _sorted([Chosen(one, said) for one, said in zip(entries, decisions, strict=True)])
        funnel = Funnel.of(harvests, decisions)
        report = report_of(facts, wish, funnel, harvests, chosen)
        place.write(chosen, report, contact_sheet(funnel, chosen))
        place.keep_only(keys.values())
    return Curated(funnel, tuple(one for one in harvests if not one.ok), report)


def shown(paths: Sequence[Path], look: Look) -> Shown | None:
    """What a user has shown, seen: a few at a time, for pictures may be large. None: nothing.

    Args:
        paths: of pictures.
        look: at them.

    Raises:
        SourceError: one cannot be read; names the file.
    """
    if not paths:
        return None
    seen = [
        look([read_upright(path) for path in paths[begin : begin + TOGETHER]])
        for begin in range(0, len(paths), TOGETHER)
    ]
    return Shown(tuple(path.name for path in paths), np.concatenate(seen))


class _Progress:
    """How many recordings are done."""

    def __init__(self, total: int, tell: Tell) -> None:
        self._total, self._tell, self._done = total, tell, 0

    def one(self) -> None:
        """One more."""
        self._done += 1
        self.part(0.0)

    def part(self, share: float | None) -> None:
        """So much of the next one; None: nobody knows."""
        done = (self._done + (share or 0.0)) / self._total
        self._tell(done, f"{self._done} of {self._total} recordings")


def _harvests(
    plans: Sequence[SourcePlan],
    keys: Mapping[str, str],
    place: DatasetFolder,
    harvester: Harvester,
    crew: Crew,
    tell: Tell,
) -> Iterator[Harvest]:
    """Of every recording: what is kept first, then the others as they are done. All say where
    recordings lie now, as the user named them."""
    progress = _Progress(len(plans), tell)
    sources = {plan.stream: mask_url(plan.url) for plan in plans}
    missing = []
    for plan in plans:
        if kept := place.harvest(keys[plan.stream]):
            progress.one()
            yield replace(kept, source=sources[plan.stream])
        else:
            missing.append(plan)
    for harvest in _read(missing, harvester, crew, progress):
        own = replace(harvest, source=sources[harvest.stream])
        if not own.again:
            place.keep(keys[own.stream], own)
        progress.one()
        yield own


def _read(
    plans: Sequence[SourcePlan], harvester: Harvester, crew: Crew, progress: _Progress
) -> Iterator[Harvest]:
    if not plans:
        return
    if not crew.here:
        from pipeline.runtime.ray_map import ray_map  # Ray takes a second to import

        make = partial(Harvester, harvester.setup, harvester.computed)
        pieces = [_absolute(plan) for plan in plans]
        yield from ray_map(
            *(make, pieces),
            workers=crew.workers,
            address=crew.address,
            name=lambda plan: mask_url(plan.url),
        )
        return
    for plan, following in zip(plans, [*plans[1:], None], strict=True):
        harvester.prepare(plan)
        if following:
            harvester.prepare(following)
        yield harvester(plan, progress.part)


def _absolute(plan: SourcePlan) -> SourcePlan:
    """A file by its whole path: workers stand in another folder."""
    return replace(plan, url=os.path.abspath(plan.url)) if os.path.exists(plan.url) else plan


def _sorted(chosen: list[Chosen]) -> list[Chosen]:
    """By stream and time."""

    def place(one: Chosen) -> tuple[str, int]:
        return one.entry.stream, one.entry.candidate.time_us

    return sorted(chosen, key=place)
