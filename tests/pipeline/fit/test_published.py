"""From published embeddings to an action head, without the recordings."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from operators.errors import UsageError
from operators.vector.embedding import unit_length
from pipeline.fit.fit_action import ActionPlan
from pipeline.fit.published import fit_published
from pipeline.fit.spans import spans_of_csv
from pipeline.records.record import Message
from pipeline.sinks.uri import open_reader, open_sink


@pytest.fixture(autouse=True)
def _one_thread():
    """As the backbone leaves torch, and other tests expect it."""
    yield
    torch.set_num_threads(1)


def quiet(share, words):
    """Nobody looks."""


@dataclass(frozen=True)
class Published:
    """Two recordings, bright and then dark for three seconds each, and their embeddings."""

    folder: Path
    sink: str
    records: list[Message]


@pytest.fixture(scope="module")
def published(tmp_path_factory, small_clip, replayed):
    folder = tmp_path_factory.mktemp("published")
    for number in range(2):
        small_clip(folder / "long" / f"{number}.mp4", "bright", "dark", number=number, frames=30)
    sink = f"sqlite:{folder}/embeddings.db"
    records = replayed(folder / "long", ["embedding"], sink, short_side=28)
    return Published(folder / "long", sink, records)


@pytest.fixture
def halves(tmp_path):
    """Labels of the published recordings."""
    labels = tmp_path / "spans.csv"
    lines = [f"{n}.mp4,{span}" for n in range(2) for span in ("0,3,bright", "3,6,dark")]
    labels.write_text("\n".join(["file,start,end,label", *lines]))
    return spans_of_csv(labels, files=False)


@pytest.mark.slow
def test_published_embeddings_make_a_head_that_reads_what_they_are(
    published, halves, action_plan, tiny_backbone, replayed, tmp_path
):
    made = action_plan(poolings=("mean", "concat"))
    report = fit_published(published.sink, halves, tiny_backbone, made, tell=quiet)
    assert report.facts["unit_vectors"] is True
    assert report.facts["vector"] == {"blocks": 1, "mean_patch": False}
    assert report.facts["metrics"]["top1"]["value"] == 1.0
    heads = {"action": str(made.fit.out)}
    records = replayed(published.folder, ["action"], f"sqlite:{tmp_path}/results.db", heads)
    said = [json.loads(one.value) for one in records if one.topic == "action"]
    tops = [one["labels"][0]["name"] for one in said if one["labels"]]
    assert set(tops) == {"bright", "dark"}
    vector = np.frombuffer(published.records[1].value, "<f4")
    np.testing.assert_allclose(unit_length(vector * 3), vector, atol=1e-6)

    labels = tmp_path / "unknown.csv"
    labels.write_text("file,start,end,label\n7.mp4,0,3,bright\n")
    unknown = spans_of_csv(labels, files=False)
    with pytest.raises(UsageError, match=r"no embeddings of 7\.mp4.*there are streams: 0\.mp4, 1"):
        fit_published(published.sink, unknown, tiny_backbone, made, tell=quiet)
    slow = ActionPlan(made.fit, 1.0, 4, 2)
    with pytest.raises(UsageError, match=r"embeddings are 5 a second, --fps says 1"):
        fit_published(published.sink, halves, tiny_backbone, slow, tell=quiet)


@pytest.mark.slow
def test_of_several_variants_of_embeddings_the_newest_is_taken(
    published, halves, action_plan, tiny_backbone, replayed, tmp_path
):
    made, both = action_plan(), f"sqlite:{tmp_path}/both.db"
    want = fit_published(published.sink, halves, tiny_backbone, made, tell=quiet)
    replayed(published.folder, ["embedding"], both, short_side=56)
    sink = open_sink(both)
    sink.publish(published.records)
    sink.close()
    reader = open_reader(both)
    variants = {one.message.headers["ce_variant"] for one in reader.records(["embedding"])}
    reader.close()
    assert len(variants) == 2
    got = fit_published(both, halves, tiny_backbone, made, tell=quiet)
    assert got.sha256 == want.sha256


def test_published_embeddings_hold_no_tokens_to_fine_tune_from(
    action_plan, tiny_backbone, tmp_path
):
    made = action_plan()
    fine = replace(made, fit=replace(made.fit, finetune=1))
    with pytest.raises(UsageError, match="needs the tokens of frames, published embeddings have"):
        fit_published(f"sqlite:{tmp_path}/none.db", [], tiny_backbone, fine, tell=quiet)
