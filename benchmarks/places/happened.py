"""What happens in the zones of a rendered scene, in the form in which it is told."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from benchmarks.places.question import Answer, Question
from benchmarks.places.spell import Spell, hysteresis, spells
from benchmarks.places.truth import Seen, seen_of
from operators.zones.watched import Thresholds
from pipeline.synthetic.scene import open_scene
from pipeline.synthetic.uri import SceneSpec

Held = dict[tuple[str, str | None], NDArray[np.bool_]]


def happened(spec: SceneSpec, asked: Question) -> dict[str, Answer]:
    """Return stays, dwells and occupancies by both meanings of being in a zone.

    Args:
        spec: its frame rate is as fine as truth gets.
        asked: zones, and which bodies count.

    Returns:
        `share`: a class covers its part of the zone; `foot`: a body of it, in view, stands there;
        of these also the visits of each body, and when lines were crossed.
    """
    own = asked.thresholds
    polygons = {zone.name: zone.points for zone in asked.places.zones}
    seen = seen_of(open_scene(spec), polygons, asked.labels)
    covered, stood = Held(), Held()
    for zone in polygons:
        ours = [(zone, label) for label in asked.labels]
        for key in ours:
            covered[key] = hysteresis(seen.share[key], own.enter, own.leave)
            stood[key] = seen.stands(polygons[zone], key[1])
        together = np.sum([seen.share[key] for key in ours], axis=0)
        covered[zone, None] = hysteresis(together, own.enter, own.leave)
        stood[zone, None] = np.logical_or.reduce([stood[key] for key in ours])
    found = [
        _answer({key: spells(seen.times_s, one, own.min_s) for key, one in held.items()}, own)
        for held in (covered, stood)
    ]
    return {"share": found[0], "foot": {**found[1], **_walked(seen, asked)}}


def _walked(seen: Seen, asked: Question) -> Answer:
    """Visits of each body to zones, and when lines were crossed."""
    told: dict[tuple[str, str, str | None], list[Spell]] = defaultdict(list)
    for zone, label in itertools.product(asked.places.zones, asked.labels):
        for held in seen.stays(zone.points, label).values():
            told["visit", zone.name, label] += spells(seen.times_s, held, asked.thresholds.min_s)
    for line in asked.places.lines:
        start, end = line.points
        for one in seen.crossings((start, end)):
            direction = "in" if one.inward else "out"
            told[direction, line.name, one.label].append(Spell.around(one.time_s))
    return told


def _answer(found: Mapping[tuple[str, str | None], list[Spell]], own: Thresholds) -> Answer:
    """Spells of labels as stays and dwells, of all together as occupancies."""
    told: dict[tuple[str, str, str | None], list[Spell]] = {}
    for (zone, label), all_ in found.items():
        told["stay" if label else "occupancy", zone, label] = all_
        if label:
            long = [one for one in all_ if one.end_s - one.start_s >= own.dwell_s]
            told["dwell", zone, label] = [
                Spell(one.start_s, one.start_s + own.dwell_s) for one in long
            ]
    return told
