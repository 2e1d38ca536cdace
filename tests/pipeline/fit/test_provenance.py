"""Whether a head is measured on what its fit was given: by contents, wherever they lie."""

from pathlib import Path

import pytest

from pipeline.fit.evaluation import Evaluation
from pipeline.fit.provenance import held_against, provenance_facts, source_of

BARE = Evaluation("depth", "own", 3, 3, {}, {})


def test_copies_have_one_content_and_a_scene_its_seed(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"the same")
    assert source_of(str(tmp_path / "a.png")) == source_of(str(tmp_path / "b.png"))
    assert source_of("synthetic:world?seed=7&seconds=1") == "world 7"


@pytest.mark.parametrize(
    ("groups", "known", "caution"),
    [
        (["c", "d"], 0, ""),
        (["a", "a", "c"], 1, "CAUTION: the fit of this head was given 1 of the 2 files"),
        (["a", "b"], 2, "CAUTION: the fit of this head was given all files"),
    ],
)
def test_data_that_the_fit_was_given_are_counted_and_said_loudly(groups, known, caution):
    header = provenance_facts(["b", "a", "b"], rendered=False)
    assert header == {"sources": ["a", "b"]}
    measured = held_against(BARE, groups, header)
    assert measured.given_to_fit == measured.plain()["given_to_fit"] == known
    assert measured.caution.startswith(caution)
    assert measured.plain()["notes"] == ([measured.caution] if caution else [])


def test_a_head_that_does_not_say_is_not_taken_for_an_honest_one():
    measured = held_against(BARE, ["a"], {})
    assert measured.given_to_fit is None
    assert "whether these data were held out only you know" in measured.notes[0]


def test_heads_of_scenes_say_so():
    assert provenance_facts(["world 1"], rendered=True)["rendered"] is True
