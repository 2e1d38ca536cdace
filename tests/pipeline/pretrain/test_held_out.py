import pytest

from operators.errors import UsageError
from pipeline.pretrain.corpus import Corpus
from pipeline.pretrain.held_out import apart
from pipeline.pretrain.picture import Picture


def hashes(corpus):
    return {one.sha256 for one in corpus.pictures}


def test_no_picture_is_on_both_sides_and_none_is_lost(pictures):
    own, held_out = apart(pictures, 0.25)
    assert hashes(own) | hashes(held_out) == hashes(pictures)
    assert not hashes(own) & hashes(held_out)
    assert len(held_out) == 6


def test_others_that_go_change_nothing(pictures):
    _, held_out = apart(pictures, 0.25)
    fewer = pictures.part(range(1, len(pictures)))
    _, again = apart(fewer, 6 / 23)
    assert len(hashes(held_out) - hashes(again)) <= 1


def test_two_at_least_are_held_out_and_two_are_left(pictures):
    own, held_out = apart(pictures, 0.0)
    assert (len(own), len(held_out)) == (22, 2)
    with pytest.raises(UsageError, match="3 pictures are too few"):
        apart(pictures.part(range(3)), 0.05)


def corpus_of(counts, tmp_path):
    pictures = [
        Picture(f"{stream}-{number}.jpg", 1, f"{stream:03d}{number:05d}", f"film {stream}")
        for stream, count in enumerate(counts)
        for number in range(count)
    ]
    return Corpus(tmp_path, pictures, "", 0.0)


def test_of_many_streams_whole_ones_are_held_out(tmp_path):
    own, held_out = apart(corpus_of([20] * 40, tmp_path), 0.1)
    streams = [{one.stream for one in part.pictures} for part in (own, held_out)]
    assert not streams[0] & streams[1]
    assert 40 <= len(held_out) <= 120


@pytest.mark.parametrize("seed", range(20))
def test_a_stream_that_is_nearly_all_is_not_held_out_whole(tmp_path, seed):
    counts = [20] * 24
    counts.insert(seed, 5000)
    own, held_out = apart(corpus_of(counts, tmp_path), 0.05)
    assert len(held_out) < 500
    assert len(own) + len(held_out) == 5480
