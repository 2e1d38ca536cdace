"""`--condition` of what measures heads of maps: worse light, weather or focus on the same pictures.

click's values in -> conditions out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from operators.errors import UsageError
from pipeline.cli.dense_options import frame_size

if TYPE_CHECKING:
    from operators.conditions.condition import Condition
    from pipeline.configuration.config import Config
    from pipeline.fit.dense_item import DenseItem

condition_option = click.option(
    "--condition",
    "conditions",
    metavar="NAME[:STRENGTH]",
    multiple=True,
    show_default="none",
    help="Measure on the same pictures under it as well: night, low-light, rain, fog, motion-blur, "
    "defocus, or all. STRENGTH from 0 to 3, 1 where it is not said. May be given several times.",
)


def chosen_conditions(
    texts: Sequence[str], items: Sequence[DenseItem]
) -> tuple[list[Condition], list[str]]:
    """What the option names and these pictures allow, and what a user should be told: `all` leaves
    out what needs depth where nobody knows it.

    Raises:
        UsageError: no such condition or strength, or one by its name that needs depth.
    """
    from operators.conditions.condition import ALL, conditions_named
    from pipeline.fit.conditioned import has_depth

    found = conditions_named(texts)
    if all(map(has_depth, items)):
        return found, []
    by_name = conditions_named(text for text in texts if text.partition(":")[0] != ALL)
    if needy := [str(one) for one in by_name if one.depth == "needed"]:
        raise UsageError(
            f"--condition {', '.join(needy)} goes by depth, which nobody knows of these pictures; "
            "leave it out, or give --synthetic SCENE, or depth maps to `eval depth`"
        )
    without = {"needed": "left out", "used": "streaks alone, without their veil"}
    notes = [
        f"{one}: nobody knows the depth of these pictures, {without[one.depth]}"
        for one in found
        if one.depth in without
    ]
    return [one for one in found if one.depth != "needed"], notes


def write_shown(
    items: Sequence[DenseItem], conditions: Sequence[Condition], config: Config, path: Path
) -> Path:
    """Some of the pictures as they were measured.

    Raises:
        SinkError: they cannot be written.
    """
    from pipeline.fit.conditions_picture import conditions_picture, write_conditions_picture

    image = conditions_picture(items, conditions, frame_size(config), seed=config.seed)
    write_conditions_picture(image, path)
    return path
