"""Scene URIs: what they mean, what they refuse and in which words."""

from __future__ import annotations

import dataclasses

import pytest

from operators.errors import UsageError
from pipeline.synthetic.uri import RENDERER_VERSION, SceneSpec, parse_scene_uri


def test_every_part_of_a_uri_is_read() -> None:
    spec = parse_scene_uri("synthetic:room?seed=7&seconds=2.5&fps=24&size=320x240")
    assert spec == SceneSpec("room", seed=7, seconds=2.5, fps=24, size_wh=(320, 240))
    assert spec.frame_count == 60


def test_what_is_left_out_has_the_documented_default() -> None:
    spec = parse_scene_uri("synthetic:room")
    assert spec == parse_scene_uri("synthetic:room?seed=1&seconds=10&fps=30&size=640x360")
    assert spec.frame_count == 300


@pytest.mark.parametrize(
    ("uri", "canonical"),
    [
        ("synthetic:room", "seed=1&seconds=10&fps=30&size=640x360"),
        ("synthetic:room?size=16x4096&seed=0", "seed=0&seconds=10&fps=30&size=16x4096"),
        ("synthetic:room?seconds=02.50&seed=007", "seed=7&seconds=2.5&fps=30&size=640x360"),
        ("synthetic:room?fps=240&seconds=86400", "seed=1&seconds=86400&fps=240&size=640x360"),
    ],
)
def test_one_clip_has_one_canonical_uri(uri: str, canonical: str) -> None:
    spec = parse_scene_uri(uri)
    assert spec.canonical() == f"synthetic:room?{canonical}&version={RENDERER_VERSION}"
    assert parse_scene_uri(spec.canonical()) == spec


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("clip.mp4", "not a scene URI: 'clip.mp4'"),
        ("synthetic://room", "unknown scene '//room'"),
        ("synthetic:", "unknown scene ''"),
        (
            "synthetic:rooms",
            r"unknown scene .rooms.*allowed: .*, yard, varied\. Did you mean .room.\?",
        ),
        ("synthetic:moon", r"unknown scene 'moon'.*allowed: room, street, world, yard, varied\.$"),
        (
            "synthetic:room?sed=1",
            r"unknown parameter 'sed'.*size, bodies, version\. Did you mean 'seed'\?",
        ),
        ("synthetic:room?colour=red", "allowed: seed, seconds, fps, size, bodies, version"),
        ("synthetic:room?seed=1&seed=2", "seed is given twice"),
        ("synthetic:room?seed", "cannot read the parameters"),
        ("synthetic:room?seed=", "seed= in a scene URI; allowed: a whole number"),
        ("synthetic:room?seed=-1", "seed=-1"),
        ("synthetic:room?seed=1.5", "seed=1.5"),
        ("synthetic:room?seed=٣", "a whole number"),
        ("synthetic:room?seed=9999999999999999999", "from 0 to 9223372036854775807"),
        ("synthetic:room?seconds=0", "seconds=0.0.*above 0"),
        ("synthetic:room?seconds=nan", "seconds=nan.*such as 10 or 2.5"),
        ("synthetic:room?seconds=-3", "seconds=-3"),
        ("synthetic:room?seconds=86401", "up to 86400"),
        ("synthetic:room?seconds=0.01", "at least one frame, 0.0333 s"),
        ("synthetic:room?fps=0", "fps=0.*from 1 to 240"),
        ("synthetic:room?fps=241", "fps=241.*from 1 to 240"),
        ("synthetic:room?fps=29.97", "fps=29.97.*a whole number"),
        ("synthetic:room?size=640", "size=640.*WIDTHxHEIGHT"),
        ("synthetic:room?size=641x360", "size=641x360.*both even"),
        ("synthetic:room?size=14x360", "from 16 to 4096"),
        ("synthetic:room?size=640x4098", "from 16 to 4096"),
        (
            "synthetic:room?bodies=3",
            "bodies=3.*belongs to synthetic:yard alone, not to synthetic:room",
        ),
        ("synthetic:yard?bodies=13", "bodies=13.*a whole number up to 12"),
        ("synthetic:yard?bodies=few", "bodies=few.*a whole number"),
        ("synthetic:room?version=0", "version=0.*what this release draws"),
    ],
)
def test_a_wrong_uri_is_refused_in_clear_words(uri: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_scene_uri(uri)


def test_a_yard_says_how_many_bodies_and_no_other_scene_does() -> None:
    assert parse_scene_uri("synthetic:yard") == parse_scene_uri("synthetic:yard?bodies=6")
    assert "&bodies=0&version=" in parse_scene_uri("synthetic:yard?bodies=0").canonical()
    assert "bodies" not in parse_scene_uri("synthetic:street").canonical()
    with pytest.raises(UsageError, match="synthetic:yard alone"):
        SceneSpec("street", bodies=3)


def test_a_spec_made_in_code_is_checked_too() -> None:
    with pytest.raises(UsageError, match="both even"):
        dataclasses.replace(SceneSpec(), size_wh=(640, 361))
