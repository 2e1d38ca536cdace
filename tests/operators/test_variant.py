"""Variants: stable, and different whenever a payload could be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from operators.format import Format
from operators.frames import Features
from operators.operator import Operator, StreamOperator
from operators.pca.operator import Pca
from operators.result import Result
from operators.variant import Computation, RecordKind, variant_hash
from operators.vector.embedding import Embedding

COMPUTATION = Computation("dinov2_vits14", "a" * 64, "224", "torch sdpa", "float32", "cpu avx512")


class Plain(Operator):
    name = "plain"

    def __init__(self, **settings: Any) -> None:
        self._settings = settings

    def settings(self) -> Mapping[str, Any]:
        return self._settings

    def __call__(self, features: Features) -> list[Result]:
        return []


class Namesake(Plain):
    pass


class Newer(Plain):
    version = 2


class Remembering(Plain, StreamOperator):
    def reset(self, stream: str, reason: str) -> list[Result]:
        return []

    def snapshot(self, stream: str) -> bytes:
        return b""

    def restore(self, stream: str, state: bytes) -> None:
        pass


def variant(operator: Operator, computation: Computation = COMPUTATION, **options: Any) -> str:
    kind = RecordKind.of(operator, next(iter(operator.topics)))
    return kind.variant(computation, **options)


def test_pictures_that_are_compressed_otherwise_are_another_variant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pictures, numbers = variant(Pca(), sampling="all"), variant(Embedding())
    monkeypatch.setattr("operators.variant.png_identity", lambda: "of another")
    assert variant(Pca(), sampling="all") != pictures
    assert variant(Embedding()) == numbers


def test_it_is_twelve_hex_of_canonical_json() -> None:
    assert variant_hash({"b": 1, "a": [1, 2]}) == variant_hash({"a": [1, 2], "b": 1})
    assert variant_hash({}) == "44136fa355b3"  # sha256 of "{}"


def test_it_stays_the_same_from_release_to_release() -> None:
    """A change here makes every consumer's stored ids foreign: only with a reason."""
    assert variant(Embedding()) == "b631c14f6533"


def test_everything_that_can_change_a_payload_changes_it() -> None:
    class Headed(Plain):
        head_sha256 = "b" * 64

    class Rendered(Plain):
        rendered_only = True

    seen = [
        variant(Plain()),
        variant(Plain(size=1)),
        variant(Plain(size=2)),
        variant(Newer()),
        variant(Namesake()),
        variant(Headed()),
        variant(Rendered()),
        *(
            variant(Plain(), replace(COMPUTATION, **{name: "other"}))
            for name in Computation.__dataclass_fields__
        ),
    ]
    assert len(set(seen)) == len(seen) == 13
    assert all(len(one) == 12 and int(one, 16) >= 0 for one in seen)


def test_topics_of_one_operator_differ() -> None:
    class Two(Plain):
        @property
        def topics(self) -> dict[str, Format]:
            return {"plain": Format(), "plain.summary": Format()}

    assert len({RecordKind.of(Two(), topic).variant(COMPUTATION) for topic in Two().topics}) == 2
    with pytest.raises(ValueError, match=r"plain emits plain, plain\.summary, not 'depth'"):
        RecordKind.of(Two(), "depth")


def test_what_an_operator_from_outside_declares_counts() -> None:
    class Declared(Plain):
        def __init__(self, declared: Format) -> None:
            super().__init__()
            self._declared = declared

        @property
        def topics(self) -> dict[str, Format]:
            return {"plain": self._declared}

    declared = [
        Format(),
        Format("text/csv"),
        Format(schema="https://example.org/plain.v1.json"),
        Format(schema="https://example.org/plain.v2.json"),
    ]
    assert len({variant(Declared(one)) for one in declared}) == 4


def test_sampling_counts_only_where_frames_are_remembered() -> None:
    assert (
        variant(Plain(), sampling="fps=5") == variant(Plain(), sampling="all") == variant(Plain())
    )
    assert variant(Remembering(), sampling="fps=5") != variant(Remembering(), sampling="all")
    with pytest.raises(ValueError, match="its variant needs the sampling"):
        variant(Remembering())


def test_no_part_may_be_empty() -> None:
    with pytest.raises(ValueError, match="empty: dtype"):
        replace(COMPUTATION, dtype="")
