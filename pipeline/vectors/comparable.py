"""Which vectors may be compared with each other: those of one variant, or of variants of one model
that the user has named, each of them."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.errors import MixedVectors
from pipeline.vectors.choice import Choice


def require_comparable(name: str, choice: Choice, models: Mapping[str, str]) -> None:
    """See that vectors can be compared.

    Args:
        name: where they are, secrets masked.
        choice: what was asked for.
        models: variant -> model of the vectors that were chosen.

    Raises:
        MixedVectors: they are of two models, or of two variants and none was named.
    """
    several = len(set(models.values())) > 1
    if several or (len(models) > 1 and not choice.variants):
        named = " and ".join(f"{variant} of {model}" for variant, model in models.items())
        how = (
            "the models see differently, so choose one of them"
            if several
            else "one model made them, of pictures of other sizes, other streams' gates or on "
            "another machine: choose one, or name each to compare them all the same"
        )
        first = next(iter(models))
        raise MixedVectors(
            f"{name} has vectors of variants {named}: {how}, as with --variant {first}"
        )
