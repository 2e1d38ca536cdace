"""What makes a run's records its own: model, variants, and where each stream's progress is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from operators.errors import UsageError
from operators.operator import Operator
from operators.variant import variant_hash
from pipeline.engine.variants import Variants, shots_variant
from pipeline.stream.spec import StreamSpec


@dataclass(frozen=True, slots=True)
class Identity:
    """Known once an engine is assembled, and the same for every engine of a run.

    Attributes:
        model: architecture and first 12 hex of the weights' sha256.
        operators: key of an operator in the configuration -> the variants of its records; of those
            that run.
        labels: label set -> [{id, name, rgb}], what the records' class ids mean.
        keeps: what is kept of frames' features (`Kind.identity`); "": nothing. Records do not
            depend on it, but a job that keeps them is not done where one without it is.
        notes: what a user should be told once: untrained weights, operators that do not run, paths.
    """

    model: str
    operators: Mapping[str, Variants]
    labels: Mapping[str, Sequence[Mapping[str, Any]]]
    notes: tuple[str, ...] = ()
    keeps: str = ""

    def jobs(self, specs: Sequence[StreamSpec]) -> dict[str, str]:
        """Stream -> its job, under which its progress is kept: 12 hex of the stream with its
        session, its variants and its sampling. The same job resumes, another starts anew; which
        streams run beside it changes nothing.

        Raises:
            UsageError: no operator runs on one of them.
        """
        return {spec.stream: self._job(spec) for spec in specs}

    def variants(self, spec: StreamSpec) -> dict[str, dict[str, str]]:
        """Key of an operator -> topic -> variant of its records, of those that run on a stream."""
        return {
            key: self.operators[key].on(spec, spec.samplings[rule])
            for key, rule in spec.rules.items()
            if key in self.operators
        }

    def _job(self, spec: StreamSpec) -> str:
        variants = self.variants(spec)
        if spec.rules and not variants:
            raise UsageError(
                f"streams.{spec.stream}.operators: none of {', '.join(spec.rules)} runs without a "
                f"head; those that run: {', '.join(self.operators)}; give --head, or pick others"
            )
        self._refuse_gate(spec, variants)
        facts: dict[str, Any] = {
            "sources": [[spec.stream, spec.session]],
            "samplings": [str(rule) for rule in spec.samplings],
            "variants": {topic: one for own in variants.values() for topic, one in own.items()},
        }
        if len(spec.samplings) > 1:  # else it is known which operator takes which
            facts["rules"] = {key: spec.rules[key] for key in variants}
        facts |= {"damaged": "keep"} if spec.damaged else {}
        facts |= {} if spec.deinterlace else {"deinterlace": False}
        facts |= {} if spec.decode == "cpu" else {"decode": spec.decode}
        facts |= {"region": list(astuple(spec.region))} if spec.region else {}
        facts |= {"features": self.keeps} if self.keeps else {}
        facts |= {"span_s": list(spec.span_s)} if spec.span_s else {}
        facts |= {"gate": spec.gate.canonical()} if spec.gate else {}
        facts |= {"shots": shots_variant(spec)} if spec.shots else {}
        return variant_hash(facts)

    def _refuse_gate(self, spec: StreamSpec, keys: Iterable[str]) -> None:
        deaf = [key for key in keys if spec.gate and not self.operators[key].repeats]
        if deaf:
            names, stream = ", ".join(deaf), spec.stream
            ways = f"leave {names} out of the operators of {stream}"
            if not spec.kept:
                ways += ", or set at_least_every_s: 0 in its gate, which then computes every frame"
            raise UsageError(
                f"{stream} has a gate, and {names} cannot be told of frames that are not computed; "
                f"{ways}"
            )


def label_sets(by_key: Mapping[str, Operator]) -> dict[str, Sequence[Mapping[str, Any]]]:
    """Of all operators; records refer to one by its name.

    Raises:
        UsageError: two have one name and differ.
    """
    found: dict[str, tuple[str, Sequence[Mapping[str, Any]]]] = {}
    for key, one in by_key.items():
        for name, rows in one.label_sets().items():
            first, known = found.setdefault(name, (key, rows))
            if list(known) != list(rows):
                raise UsageError(
                    f"the heads of {first} and {key} have label sets of one name, {name!r}, with "
                    "other labels, so that records could not say which they mean; fit one of them "
                    "from a file or folder of another name"
                )
    return {name: rows for name, (_, rows) in found.items()}
