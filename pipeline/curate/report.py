"""What was done, as JSON: the settings, the funnel, and what each recording gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pipeline.curate.chosen import Chosen
from pipeline.curate.funnel import Funnel
from pipeline.curate.harvest import Harvest
from pipeline.curate.wish import Shown, Wish


def report_of(
    facts: Mapping[str, Any],
    wish: Wish,
    funnel: Funnel,
    harvests: Sequence[Harvest],
    chosen: Sequence[Chosen],
) -> dict[str, Any]:
    """
    Args:
        facts: as of `Setup.facts`, which decided the candidates.
        wish: that decided which were taken.
        funnel: of all of them.
        harvests: of all recordings.
        chosen: every candidate.
    """
    taken = Counter(one.entry.stream for one in chosen if one.decision.verdict == "taken")
    return {
        "setup": dict(facts),
        "wish": _wished(wish),
        "funnel": asdict(funnel) | {"candidates": funnel.candidates},
        "steps": [asdict(one) for one in funnel.steps()],
        "recordings": [_recording(one, taken[one.stream]) for one in sorted(harvests, key=_stream)],
    }


def _wished(wish: Wish) -> dict[str, Any]:
    by_clusters = {"clusters": wish.clusters, "more_than": wish.more_than}
    near = by_clusters if wish.clusters else {"per_seed": wish.per_seed}
    return {
        "target": wish.target,
        "threshold": wish.threshold,
        "compared": wish.compared,
        "measured": wish.measured,
        "references": _count(wish.references),
        **({"reference_threshold": wish.reference_cosine} if wish.references else {}),
        "seeds": _count(wish.seeds),
        **(near if wish.seeds else {}),
        "seed": wish.seed,
    }


def _count(shown: Shown | None) -> int:
    return len(shown.names) if shown else 0


def _recording(one: Harvest, taken: int) -> dict[str, Any]:
    own = {"stream": one.stream, "source": one.source, "outcome": one.outcome}
    why = {"detail": one.detail} if one.detail else {}
    counts = {"candidates": len(one.candidates), "taken": taken}
    return own | why | asdict(one.counted) | counts


def _stream(one: Harvest) -> str:
    return one.stream
