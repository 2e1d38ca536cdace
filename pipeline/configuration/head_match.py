"""A run and its heads made to agree: sampling and size are those that the heads were trained at.

Configuration in -> the same, or one that samples as a head wants it, aloud; or why not. Reads the
heads' headers, not their weights. Knows nothing of torch.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from operators.backbones.architectures import architecture
from operators.errors import UsageError, WeightsError
from operators.weights.backbone_choice import DEMO
from operators.weights.head_needs import HeadNeeds, chosen_header, head_choice
from pipeline.configuration.config import Config, SamplingConfig
from pipeline.stream.sampling import Sampling, union_hz

log = logging.getLogger(__name__)

_WHOLE_FRAME = ("action", "classify", "anomaly")  # at another size their vectors are others


@dataclass(frozen=True, slots=True)
class TrainedAt:
    """What a head says it was trained at.

    Attributes:
        operator: whose head.
        named: the user named it; a demo head comes with its weights.
        needs: what its header says.
    """

    operator: str
    named: bool
    needs: HeadNeeds

    @property
    def strict(self) -> bool:
        """A run at another size is refused."""
        return self.named and self.operator in _WHOLE_FRAME


def matched(config: Config) -> Config:
    """The configuration that fits its heads.

    Args:
        config: what to run.

    Raises:
        UsageError: a setting contradicts a head, or two heads each other.
    """
    heads = heads_of(config)
    return _at_their_rates(_at_their_size(config, heads), heads)


def check_size(config: Config, stream: str, short_side: int, operators: Container[str]) -> None:
    """Look at a stream's own size.

    Args:
        config: what all streams share.
        stream: its name.
        short_side: of its frames, pixels.
        operators: those that run on it.

    Raises:
        UsageError: it holds no patch of the model, or a head says nothing sound at it.
    """
    place, arch = f"streams.{stream}.short_side", architecture(config.model)
    if short_side < arch.patch:
        raise UsageError(
            f"{place}: should be at least {arch.patch}, a patch of {arch.name}; got {short_side}"
        )
    for head in heads_of(config):
        side = head.needs.short_side
        if head.strict and head.operator in operators and side not in (None, short_side):
            raise UsageError(f"{place}: {_unsound(head.operator, side, short_side)}; leave it out")


def heads_of(config: Config) -> list[TrainedAt]:
    """Those that have a header and run."""
    found = []
    for operator in config.operators:
        choice = head_choice(operator, config.heads, config.weights)
        header = _header(operator, choice)
        if header is not None:
            found.append(TrainedAt(operator, choice != DEMO, HeadNeeds.of(header)))
    return found


def _header(operator: str, choice: str | None) -> Mapping[str, Any] | None:
    """None where it cannot be read: loading the head tells what is wrong with it."""
    try:
        return chosen_header(operator, choice)
    except WeightsError:
        return None


def _at_their_size(config: Config, heads: list[TrainedAt]) -> Config:
    sized = [head for head in heads if head.needs.short_side is not None]
    asked = config.short_side if "short_side" in config.model_fields_set else None
    strict = {head.needs.short_side: head.operator for head in sized if head.strict}
    if asked is None and len(strict) > 1:
        told = ", ".join(f"{operator} at {side} px" for side, operator in strict.items())
        raise UsageError(f"heads were trained at different sizes ({told}); run them one by one")
    for side, operator in strict.items():
        if asked not in (None, side):
            raise UsageError(
                f"{_unsound(operator, side, asked)}; give --short-side {side}, or leave it out"
            )
    sides = set(strict) or {head.needs.short_side for head in sized}
    side = sides.pop() if asked is None and len(sides) == 1 else config.short_side
    if side != config.short_side:
        log.info("frames at a short side of %s px, as the heads were trained", side)
    for head in sized:
        if head.needs.short_side != side:
            log.info(
                "the %s head was trained at %s px, the run is at %s px: expect a little less of it",
                head.operator,
                head.needs.short_side,
                side,
            )
    return config.model_copy(update={"short_side": side})


def _unsound(operator: str, side: int | None, asked: int | None) -> str:
    return (
        f"the {operator} head was trained at a short side of {side} px and says nothing sound at "
        f"{asked}"
    )


def _at_their_rates(config: Config, heads: list[TrainedAt]) -> Config:
    changed = dict(config.operators)
    for head in heads:
        if head.needs.fps is None or head.operator != "action":
            continue
        trained, given = Sampling("fps", head.needs.fps), config.sampling_of(head.operator)
        own = changed[head.operator]
        if given == trained:  # which no stream's own sampling may change
            changed[head.operator] = own.model_copy(update={"fps": head.needs.fps})
            continue
        if any(getattr(own, mode) for mode in SamplingConfig.model_fields):
            raise UsageError(
                f"operators.{head.operator} samples {given}, its head was trained at {trained}: "
                f"windows of another length say nothing sound; leave the setting out"
            )
        changed[head.operator] = own.model_copy(update={"fps": head.needs.fps})
        cost = _cost(config, config.model_copy(update={"operators": changed}))
        told = f"{head.operator} samples {trained}, as its head was trained, not {given}"
        log.info("%s", "; ".join(filter(None, (told, cost))))
    return config.model_copy(update={"operators": changed})


def _cost(asked: Config, done: Config) -> str:
    """What another rate for one operator costs all; empty: nothing."""
    rules, all_rules = _rules(asked), _rules(done)
    if rules == {Sampling("keyframes")}:
        return "so every frame is decoded, not key frames alone"
    before, after = union_hz(rules), union_hz(all_rules)
    if before is None or after is None or after == before:
        return ""
    counts = f"{float(after):g} frames of a second go through the backbone instead of"
    told = f"{counts} {float(before):g}"
    if after in {rule.rate_hz for rule in all_rules}:
        return told
    return f"{told}; a rate that divides the head's, or is a multiple of it, shares its frames"


def _rules(config: Config) -> set[Sampling]:
    return {config.sampling_of(operator) for operator in config.operators}
