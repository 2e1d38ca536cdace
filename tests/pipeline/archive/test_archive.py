"""The folder: what of it is told where it cannot be read, and the copy of its basis."""

import json
from dataclasses import replace

import pytest

from operators.errors import WeightsError
from operators.weights.digest import sha256_file
from pipeline.archive.archive import Archive
from pipeline.errors import SourceError
from pipeline.sinks.spill.segment import framed


@pytest.fixture
def archive(tmp_path):
    return Archive(tmp_path / "kept")


@pytest.fixture
def keep(archive, header, group):
    """One frame of a session; where it lies."""

    def keep(session="first"):
        own = archive.session("cam1", session)
        path = own.segment(0, 1)
        own.append(path, header(session), [group(0, 1, session=session)])
        return path

    return keep


@pytest.fixture
def basis(tmp_path, header):
    """A file, and a kind that is kept in it."""
    path = tmp_path / "basis.safetensors"
    path.write_bytes(b"directions")
    return path, replace(header().kind, basis=sha256_file(path))


def test_a_session_that_cannot_be_read_is_not_passed_over(archive, keep, header):
    keep("second")
    newer = json.loads(header().to_bytes()) | {"format": 9}
    damaged = bytearray(keep().read_bytes())
    damaged[30] ^= 1
    for data, why in {
        bytes(damaged): "its beginning is damaged",
        framed(json.dumps(newer).encode()): "no archive that this version reads",
    }.items():
        path = keep()
        path.write_bytes(data)
        with pytest.raises(SourceError, match=rf"{path}: {why}"):
            archive.headers()
    path.unlink()
    path.symlink_to(path)  # which nobody can read, as a file of another user
    with pytest.raises(SourceError, match=rf"{path}: Too many levels"):
        archive.sessions("cam1")
    path.unlink()
    assert [one.session for one, _ in archive.sessions("cam1")] == ["second"]


def test_what_is_not_there_holds_nothing(archive, keep):
    assert archive.headers() == {}
    keep().unlink()
    assert archive.headers() == {}


def test_the_copy_of_the_basis_is_what_its_name_says(archive, basis):
    path, kind = basis
    archive.keep_basis(path, kind)
    there = archive.basis(kind)
    there.write_bytes(b"direktions")
    archive.keep_basis(path, kind)
    assert there.read_bytes() == b"directions"
    assert [one.name for one in there.parent.iterdir()] == [there.name]


def test_a_basis_that_has_changed_since_it_was_read_is_not_kept(archive, basis):
    path, kind = basis
    path.write_bytes(b"others")
    with pytest.raises(WeightsError, match="has changed since it was read"):
        archive.keep_basis(path, kind)
    assert not list(archive.basis(kind).parent.iterdir())
