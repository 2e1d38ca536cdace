"""Labels and templates: what is refused, and the mean of the sentences."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from operators.errors import UsageError
from operators.words.prompts import TEMPLATES, check_labels, check_templates, text_vectors
from operators.words.text_tower import load_text_tower
from operators.words.tokeniser import Tokeniser

TWO = ("a photo of a {}.", "many {} here")


@pytest.fixture
def tower(files):
    return load_text_tower(files.text_encoder)


@pytest.fixture
def tokeniser(merges):
    return Tokeniser(merges)


def test_a_labels_vector_is_the_mean_of_its_sentences(files, tower, tokeniser, twin_text):
    heard = []
    got = text_vectors(
        ("person", "café"), TWO, tokeniser, tower, tell=lambda done, total: heard.append(done)
    )
    for row, label in enumerate(("person", "café")):
        rows = [tokeniser(template.replace("{}", label)) for template in TWO]
        each = [F.normalize(twin_text(files.text, torch.tensor([own])), dim=1) for own in rows]
        want = F.normalize(torch.cat(each).mean(dim=0, keepdim=True), dim=1)[0]
        assert (got[row] - want).abs().max().item() <= 1e-4
    assert heard == [4]


def test_many_sentences_go_through_some_at_a_time(tower, tokeniser):
    labels = [f"label {number}" for number in range(40)]
    many = text_vectors(labels, TWO, tokeniser, tower)
    (alone,) = text_vectors(labels[35:36], TWO, tokeniser, tower)
    assert many.shape == (40, 256)
    assert (many[35] - alone).abs().max().item() <= 1e-5


def test_a_sentence_that_the_tower_does_not_read_to_its_end_is_refused(tower, tokeniser):
    with pytest.raises(
        UsageError, match=r"'a photo of a z+\.' has 33 pieces, the text tower reads 24"
    ):
        text_vectors(["z" * 26], TWO, tokeniser, tower)


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ((), "no labels; give words, or --labels FILE"),
        (("person", ""), "label '' is empty"),
        (("person", "\u00a0"), "is empty"),
        (("Person", "dog", "  person"), "labels 'Person' and '  person' are the same"),
        (("cafe\u0301", "caf\u00e9"), "are the same to the text tower"),
        (("a\tb",), r"holds '\\t', a control character"),
        (("caf\udce9",), r"holds '\\udce9', a control character or a byte of another encoding"),
        (("an <|endoftext|> b",), r"holds <\|endoftext\|>, which the text tower reads as its own"),
        (("an <|STARTOFTEXT|>",), r"holds <\|startoftext\|>"),
        (("x" * 401,), "has 401 characters, at most 400"),
    ],
)
def test_labels_that_cannot_be_told_apart_or_read_are_refused(labels, why):
    with pytest.raises(UsageError, match=why):
        check_labels(labels)


@pytest.mark.parametrize("template", ["a photo", "{} and {}", "\x00{}", "<|endoftext|>{}"])
def test_templates_hold_one_place(template):
    with pytest.raises(UsageError, match="template"):
        check_templates([template])


def test_the_usual_templates_and_odd_labels_pass():
    check_templates(TEMPLATES)
    check_labels(["人", "🚜", "<b>", "don't", "a {} of it", "R&D"])
