"""What keeps features, as an engine asks it: breaks, sessions, resumes, and a disk that is full."""

import os
from dataclasses import replace

import numpy as np
import pytest
import torch

from operators.archive.basis import Basis, Directions
from operators.archive.kind import Kind
from operators.archive.layout import Layout
from operators.errors import DinostreamError
from operators.frames import Features
from pipeline.archive.archive import Archive
from pipeline.archive.group import Group
from pipeline.archive.keeping import Keeping, Owner
from pipeline.errors import FencedError, RuntimeFailure, SourceError
from pipeline.stream.gate import Gate
from tests.pipeline.archive.conftest import info

OWNER = Owner("j" * 12, ("fps:5", "fps:2.5"), 28)
LAYOUT = Layout((), True, 2, 4)


@pytest.fixture
def archive(tmp_path):
    return Archive(tmp_path / "kept")


@pytest.fixture
def keeping_of(archive):
    """A keeper as a process has it when it begins."""
    directions = Directions(torch.zeros(4), torch.eye(4)[:2], torch.eye(4)[:2])
    basis = Basis("basis", "b" * 64, {"final": directions}, {})
    kind = Kind(LAYOUT, basis.sha256, "dinov2_vitti14", "a" * 64, "torch, float32, cpu")

    def make(owner=OWNER):
        keeping = Keeping(archive, kind, basis)
        keeping.load(torch.device("cpu"), torch.float32)
        keeping.own("cam1", owner)
        return keeping

    return make


def seen(numbers, session="first", epoch=1, bad=()):
    infos = tuple(replace(info(number, session), epoch=epoch) for number in numbers)
    draw = torch.arange(len(numbers) * 24).float().reshape(len(numbers), 2, 3, 4)
    for row in bad:
        draw[row, 0, 0, 0] = float("nan")
    taken = tuple(1 + number % 3 for number in numbers)
    return Features(infos, draw[:, 0, 0], draw, taken=taken)


def kept(archive, session="first"):
    items = list(archive.session("cam1", session).items())
    assert all(isinstance(item, Group) for item in items)
    return [int(one.position) // 5 for item in items for one in item.infos]


def test_it_says_nothing_and_keeps_every_frame_with_its_rules(keeping_of, archive):
    keeping = keeping_of()
    assert keeping(seen(range(3))) == []
    assert keeping.topics == {}
    keeping.snapshot("cam1")
    ((header, session),) = archive.sessions("cam1")
    (group,) = session.items()
    assert (header.samplings, header.short_side, header.job) == (OWNER.samplings, 28, OWNER.job)
    assert group.taken == (1, 2, 3)
    assert group.infos == seen(range(3)).infos


def test_a_resume_goes_on_where_the_commit_was(keeping_of, archive):
    keeping = keeping_of()
    keeping(seen(range(4)))
    committed = keeping.snapshot("cam1")
    keeping(seen(range(4, 7)))
    keeping.snapshot("cam1")  # and killed before its commit
    again = keeping_of()
    again.restore("cam1", committed)
    assert kept(archive) == [0, 1, 2, 3]
    again(seen(range(4, 9), epoch=2))
    keeping(seen(range(7, 9)))
    keeping.snapshot("cam1")  # by who was thought dead
    again.reset("cam1", "end")
    again.snapshot("cam1")
    assert kept(archive) == list(range(9))
    assert [item.ended for item in archive.session("cam1", "first").items()] == [False, True]


def test_a_session_that_was_begun_and_not_committed_is_forgotten(keeping_of, archive):
    keeping = keeping_of()
    keeping(seen(range(4)))
    committed = keeping.snapshot("cam1")
    keeping.reset("cam1", "session")
    keeping(seen(range(10, 12), "second"))
    keeping.snapshot("cam1")
    again = keeping_of()
    again.restore("cam1", committed)
    assert [header.session for header, _ in archive.sessions("cam1")] == ["first"]
    again(seen(range(20, 22), "third", epoch=2))
    again.snapshot("cam1")
    assert [header.session for header, _ in archive.sessions("cam1")] == ["first", "third"]


def test_a_job_that_begins_afresh_replaces_its_own_and_nobody_elses(keeping_of, archive):
    first = keeping_of()
    first(seen(range(4)))
    first.snapshot("cam1")
    fresh = keeping_of()
    fresh(seen(range(2), epoch=2))
    fresh.snapshot("cam1")
    assert kept(archive) == [0, 1]
    other = keeping_of(replace(OWNER, job="k" * 12))
    other(seen(range(4)))
    with pytest.raises(RuntimeFailure, match=r"first holds features that another job has kept"):
        other.snapshot("cam1")
    assert kept(archive) == [0, 1]


@pytest.mark.parametrize("size", [0, 5, 100])
def test_after_a_first_write_that_was_torn_the_same_job_goes_on(keeping_of, archive, size):
    first = keeping_of()
    first(seen(range(4)))
    first.snapshot("cam1")
    os.truncate(archive.session("cam1", "first").segment(0, 1), size)
    assert archive.headers() == {}
    again = keeping_of()
    again(seen(range(4), epoch=2))
    again.snapshot("cam1")
    assert kept(archive) == [0, 1, 2, 3]
    assert len(list(archive.session("cam1", "first").folder.iterdir())) == 1


@pytest.mark.parametrize("torn", [False, True])
def test_who_was_thought_dead_does_not_remove_what_its_successor_keeps(keeping_of, archive, torn):
    dead = keeping_of()
    dead(seen(range(2), epoch=1))
    successor = keeping_of()
    successor(seen(range(4), epoch=2))
    successor.snapshot("cam1")
    segment = archive.session("cam1", "first").segment(0, 2)
    if torn:  # its write is under way
        os.truncate(segment, 5)
    before = segment.read_bytes()
    with pytest.raises(FencedError, match=r"first: another writer has begun it \(epoch 2, this"):
        dead.snapshot("cam1")
    assert segment.read_bytes() == before


def test_a_resume_leaves_what_it_cannot_read_as_it_is_and_tells(keeping_of, archive, caplog):
    keeping = keeping_of()
    keeping(seen(range(2)))
    keeping.snapshot("cam1")
    keeping.reset("cam1", "session")
    keeping(seen(range(10, 12), "second"))
    committed = keeping.snapshot("cam1")
    segment = archive.session("cam1", "first").segment(0, 1)
    segment.write_bytes(b"film" * 100)
    keeping_of().restore("cam1", committed)
    assert f"{segment}: its beginning is damaged; it is left as it is" in caplog.text
    assert kept(archive, "second") == [10, 11]
    with pytest.raises(SourceError, match="its beginning is damaged"):
        archive.sessions("cam1")


def test_breaks_of_the_stream_are_kept_and_those_of_operators_are_not(keeping_of, archive):
    keeping = keeping_of()
    keeping(seen(range(2)))
    for reason in ("gap", "error", "overload"):
        keeping.reset("cam1", reason)
    keeping(seen(range(2, 3)))
    keeping.reset("cam1", "size")
    keeping(seen(range(3, 5)))
    keeping.snapshot("cam1")
    (group,) = archive.session("cam1", "first").items()
    assert group.breaks == ((3, "size"),)


def test_frames_of_several_sizes_are_kept_in_their_order(keeping_of, archive):
    keeping = keeping_of()
    keeping(seen(range(2)))
    wide = seen(range(2, 4))
    keeping(replace(wide, patches=torch.ones(2, 2, 5, 4)))
    keeping.snapshot("cam1")
    groups = list(archive.session("cam1", "first").items())
    assert [len(group.infos) for group in groups] == [2, 2]
    assert kept(archive) == [0, 1, 2, 3]


def test_of_a_batch_with_a_frame_that_went_wrong_nothing_is_kept_before_it_is_asked_again(
    keeping_of, archive
):
    keeping = keeping_of()
    with pytest.raises(DinostreamError, match="frame 5 of cam1 gives NaN"):
        keeping(seen(range(3), bad=[1]))
    keeping(seen([0, 2]))
    keeping.snapshot("cam1")
    assert kept(archive) == [0, 2]


def test_a_disk_that_is_full_is_told_and_nothing_is_half_committed(keeping_of, archive):
    keeping = keeping_of()
    keeping(seen(range(4)))
    committed = keeping.snapshot("cam1")
    full = keeping_of()
    full.restore("cam1", committed)
    full(seen(range(4, 6), epoch=2))
    segment = archive.session("cam1", "first").segment(4, 2)
    segment.symlink_to("/dev/full")
    with pytest.raises(RuntimeFailure, match=r"features of cam1 cannot be kept .*No space left"):
        full.snapshot("cam1")
    segment.unlink()
    again = keeping_of()
    again.restore("cam1", committed)
    again(seen(range(4, 6), epoch=3))
    again.snapshot("cam1")
    assert kept(archive) == list(range(6))


def test_frames_that_repeat_one_are_kept_without_a_picture_over_a_resume(keeping_of, archive):
    owner = replace(OWNER, gate=Gate(8, 10.0))
    keeping = keeping_of(owner)
    keeping(seen(range(2)))
    assert keeping.repeat_taken(info(2), 1) == []
    committed = keeping.snapshot("cam1")
    keeping.repeat_taken(info(3), 1)
    keeping.snapshot("cam1")  # and killed before its commit
    again = keeping_of(owner)
    again.restore("cam1", committed)
    assert kept(archive) == [0, 1, 2]
    for number, taken in ((3, 1), (4, 2)):
        again.repeat_taken(replace(info(number), epoch=2), taken)
    again(seen([5], epoch=2))
    again.repeat_taken(replace(info(6), epoch=2), 3)
    again.snapshot("cam1")
    assert kept(archive) == list(range(7))
    before, after = archive.session("cam1", "first").items()
    fifth, first = (str(5 * number) for number in (1, 5))
    assert (before.repeats, after.repeats) == (("", "", fifth), (fifth, fifth, "", first))
    assert (after.taken, len(after.pictures)) == ((1, 2, 3, 3), 1)
    ((header, _),) = archive.sessions("cam1")
    assert Gate(**header.gate) == owner.gate


def test_a_state_of_another_version_is_refused(keeping_of):
    with pytest.raises(ValueError, match="of another version"):
        keeping_of().restore("cam1", b'{"format":0}')


def test_a_state_of_an_earlier_release_is_gone_on_with_where_no_frame_repeats_one(keeping_of):
    old = b'{"format":1,"session":"","frames":0,"begin_us":0,"ended":false}'
    keeping_of().restore("cam1", old)
    with pytest.raises(ValueError, match="of another version"):
        keeping_of(replace(OWNER, gate=Gate())).restore("cam1", old)


def test_pictures_hold_what_was_seen(keeping_of, archive):
    keeping = keeping_of()
    features = seen(range(1))
    keeping(features)
    keeping.snapshot("cam1")
    (group,) = archive.session("cam1", "first").items()
    numbers = LAYOUT.unpacked(group.pictures[0])
    along = numbers.codes[0] * numbers.scales[0].astype(np.float32)[..., None]
    assert np.allclose(along, features.patches[0, ..., :2], atol=0.1)
    assert np.array_equal(numbers.fine[0], features.cls[0].half())
