"""A picture is seen as the records' pictures were, by the weights that saw those."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from operators.backbones.statistics import SAT493M
from operators.errors import UsageError, WeightsError
from operators.frames import FrameBatch, FrameInfo
from operators.registry import build_operator
from operators.variant import RecordKind
from operators.vector.embedding import Embedding
from operators.weights.demo import read_demo
from pipeline.engine.assembly import computation_of
from pipeline.engine.variants import sized
from pipeline.errors import SourceError
from pipeline.media.frame_size import FrameSize
from pipeline.media.still import read_still
from pipeline.search.sight import Sight, Weights, require_readable, short_side_of, weights_of
from pipeline.vectors.head import Head
from pipeline.vectors.row import Series


def head(model, *variants, marks=()):
    series = tuple(Series("gate", "s", one) for one in variants or ("0" * 12,))
    return Head("a sink", {}, model, 192, 5, series, marks)


def test_the_weights_that_made_the_vectors_are_told_from_their_model(tiny_backbone):
    model = tiny_backbone.loaded.name
    untrained = head(model, marks=("untrained",))
    assert weights_of(untrained) == Weights("dinov2_vitti14", "random")
    ours = head(f"dinov2_vitti14-{read_demo().sha256[:12]}")
    assert weights_of(ours) == Weights("dinov2_vitti14", "demo")


def test_other_weights_are_refused_and_both_are_named(tiny_backbone):
    model = tiny_backbone.loaded.name
    with pytest.raises(WeightsError) as refusal:
        weights_of(head(model), "random", seed=5)
    assert model in str(refusal.value)
    assert "--weights random is dinov2_vitti14-" in str(refusal.value)
    assert "give their --seed" in str(refusal.value)


def test_the_size_is_told_from_the_variant(tiny_backbone):
    computation = sized(computation_of(tiny_backbone), 84)
    variant = RecordKind.of(Embedding(), "embedding").variant(computation)
    own = head(tiny_backbone.loaded.name, variant)
    assert short_side_of(own, tiny_backbone) == 84
    assert short_side_of(own, tiny_backbone, 84) == 84
    with pytest.raises(UsageError, match="are of pictures of short side 84; leave it out"):
        short_side_of(own, tiny_backbone, 98)


def test_the_size_is_told_of_weights_that_know_rendered_scenes_alone(tiny_backbone, monkeypatch):
    loaded = replace(tiny_backbone.loaded, rendered_only=True)
    monkeypatch.setattr(tiny_backbone, "loaded", loaded)
    operator = build_operator(
        "embedding",
        {},
        architecture=loaded.model.architecture,
        backbone_sha256=loaded.sha256,
        rendered_only=True,
    )
    computation = sized(computation_of(tiny_backbone), 112)
    variant = RecordKind.of(operator, "embedding").variant(computation)
    assert short_side_of(head(loaded.name, variant), tiny_backbone) == 112


def test_what_pixels_are_normalised_by_is_part_of_a_variant(tiny_backbone, monkeypatch):
    arch = tiny_backbone.loaded.model.architecture
    assert computation_of(tiny_backbone).preprocessing.endswith(", imagenet")
    model = tiny_backbone.loaded.model
    monkeypatch.setattr(model, "architecture", replace(arch, statistics=SAT493M))
    assert computation_of(tiny_backbone).preprocessing.endswith(", sat493m")


def test_a_likely_size_stands_only_where_none_can_be_told(tiny_backbone):
    computation = sized(computation_of(tiny_backbone), 84)
    variant = RecordKind.of(Embedding(), "embedding").variant(computation)
    model = tiny_backbone.loaded.name
    assert short_side_of(head(model, variant), tiny_backbone, likely=98) == 84
    assert short_side_of(head(model, "f" * 12), tiny_backbone, likely=98) == 98
    assert short_side_of(head(model, "f" * 12), tiny_backbone, 112, likely=98) == 112


def test_a_size_that_cannot_be_told_is_asked_for(tiny_backbone):
    elsewhere = head(tiny_backbone.loaded.name, "f" * 12)
    with pytest.raises(UsageError, match="say it with --short-side"):
        short_side_of(elsewhere, tiny_backbone)
    assert short_side_of(elsewhere, tiny_backbone, 112) == 112


def test_a_picture_is_what_the_operator_says_of_it(tiny_backbone, small_picture, tmp_path):
    path = small_picture(tmp_path / "bars.png", "bars")
    sight = Sight(tiny_backbone, tmp_path / "cache", short_side=28)
    (seen,) = sight.pictures([path])
    sight.close()
    pixels = read_still(path, FrameSize(28, 14)).pixels
    batch = FrameBatch((FrameInfo.of_picture(),), pixels[None])
    (said,) = Embedding()(tiny_backbone(batch))
    np.testing.assert_array_equal(seen, np.frombuffer(said.data, "<f4"))


def test_a_clip_is_the_mean_of_its_frames(tiny_backbone, small_clip, small_picture, tmp_path):
    bars, rows = (small_clip(tmp_path / f"{kind}.mp4", kind) for kind in ("bars", "rows"))
    sight = Sight(tiny_backbone, tmp_path / "cache", short_side=28)
    means = [sight.clip(one) for one in (bars, rows)]
    (picture,) = sight.pictures([small_picture(tmp_path / "p.png", "bars")])
    sight.close()
    assert np.linalg.norm(means[0]) <= 1 + 1e-6
    assert means[0] @ picture > means[1] @ picture


def test_a_picture_that_is_none_is_named(tmp_path):
    path = tmp_path / "notes.jpg"
    path.write_text("no picture")
    with pytest.raises(SourceError, match=r"notes.jpg: cannot be read as a picture"):
        require_readable([path])
