"""A corpus gives the same pictures for ever, or says that it cannot."""

import logging

import numpy as np
import pytest
from PIL import Image

from operators.errors import UsageError
from pipeline.errors import SourceError
from pipeline.pretrain.corpus import open_corpus


def test_steps_see_every_picture_once_an_epoch(pictures):
    steps = pictures.steps_of_epoch(5)
    assert steps == 4
    seen = [number for step in range(steps) for number in pictures.draw(step, 5, 0)]
    assert len(seen) == len(set(seen)) == 20
    assert pictures.draw(3, 5, 0) == pictures.draw(3, 5, 0) != pictures.draw(3, 5, 1)


def test_a_batch_is_of_as_many_folders_as_there_are(pictures):
    for step in range(8):
        streams = [pictures.pictures[number].stream for number in pictures.draw(step, 6, 0)]
        assert sorted(streams.count(one) for one in set(streams)) == [2, 2, 2]


def test_frames_of_one_scene_are_seconds_apart(gathered, tmp_path, caplog):
    scene = "synthetic:yard?seed=2&seconds=8&fps=2&size=96x64"
    rules = {"every_s": 1.0, "keep_copies": True, "apart_s": 3.0}
    corpus = gathered(tmp_path / "corpus", scene, **rules).corpus
    assert len(corpus) == 8
    with caplog.at_level(logging.WARNING):
        drawn = [corpus.draw(step, 4, 0) for step in range(20)]
    assert [record.getMessage() for record in caplog.records] == [
        "batches have 3 pictures and not 4: of 8 pictures of 1 streams no more are 3 s apart where "
        "they are of one stream"
    ]
    for numbers in drawn:
        times = sorted(corpus.pictures[number].time_us for number in numbers)
        assert len(numbers) == 3
        assert min(np.diff(times)) >= 3_000_000


def test_pixels_are_those_of_the_file(pictures):
    for number in (0, 23):
        with Image.open(pictures.pictures[number].path) as image:
            assert np.array_equal(pictures.picture(number), np.asarray(image))


def test_a_large_picture_is_handed_out_smaller(gathered, tmp_path):
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (3000, 1500), (9, 99, 199)).save(tmp_path / "photos/large.jpg")
    pixels = gathered(tmp_path / "corpus", tmp_path / "photos").corpus.picture(0)
    assert pixels.shape == (512, 1024, 3)


def test_a_file_that_is_another_one_is_no_picture_of_the_corpus(gathered, small_picture, tmp_path):
    path = small_picture(tmp_path / "photos/one.png", "bars")
    corpus = gathered(tmp_path / "corpus", tmp_path / "photos").corpus
    small_picture(path, "rows")
    with pytest.raises(SourceError, match=r"one\.png has changed since the corpus was made"):
        corpus.picture(0)
    path.unlink()
    with pytest.raises(SourceError, match=r"one\.png: cannot be read"):
        corpus.picture(0)


def test_what_is_no_whole_corpus_is_refused(gathered, small_picture, tmp_path):
    with pytest.raises(UsageError, match="holds no whole corpus"):
        open_corpus(tmp_path)
    small_picture(tmp_path / "photos/one.png", "bars")
    gathered(tmp_path / "corpus", tmp_path / "photos")
    assert len(open_corpus(tmp_path / "corpus")) == 1
    (tmp_path / "corpus/manifest.jsonl").write_text("")
    with pytest.raises(UsageError, match="its manifest is another one"):
        open_corpus(tmp_path / "corpus")
