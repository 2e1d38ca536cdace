"""Weights files, good and bad: nothing runs, and every error names the file."""

from __future__ import annotations

import os
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from operators.errors import WeightsError
from operators.weights.checkpoint import check_layout, read_tensors, sha256_tensors
from operators.weights.digest import sha256_file

TENSORS = {"a": torch.arange(3000.0).view(30, 100), "b": torch.ones(7)}


class Touch:
    """Unpickled, it would run a command that leaves a file behind."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch '{self.marker}'",)


def written(path: Path, content=TENSORS, **options) -> Path:
    if path.suffix == ".safetensors":
        save_file(content, path)
    else:
        torch.save(content, path, **options)
    return path


def numpy_1_file(path: Path, content) -> Path:
    """A file as numpy 1 wrote it: the same opcodes, the scalar's module called numpy.core."""
    written(path, content, _use_new_zipfile_serialization=False)
    old = path.read_bytes().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
    assert b"cnumpy.core.multiarray\n" in old
    path.write_bytes(old)
    return path


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("new.pth", {}),
        ("old.pth", {"_use_new_zipfile_serialization": False}),
        ("plain.safetensors", {}),
        ("wrong-suffix.bin", {}),
    ],
)
def test_every_format_gives_the_same_tensors(name, options, tmp_path):
    got = read_tensors(written(tmp_path / name, **options))

    assert got.keys() == TENSORS.keys()
    assert all(torch.equal(got[key], TENSORS[key]) for key in TENSORS)


def test_a_training_checkpoint_gives_its_state_dict(tmp_path):
    path = written(tmp_path / "head.pth", {"meta": {"epoch": 3}, "state_dict": TENSORS})

    assert read_tensors(path).keys() == TENSORS.keys()


@pytest.mark.parametrize(
    "scalar", [np.float64(0.5), np.float32(0.5), np.int64(3), np.int32(3), np.bool_(True)]
)
@pytest.mark.parametrize("write", [written, numpy_1_file])
def test_numpy_scalars_of_official_heads_are_allowed(write, scalar, tmp_path):
    path = write(tmp_path / "head.pth", {"meta": {"best": scalar}, "state_dict": TENSORS})

    assert read_tensors(path).keys() == TENSORS.keys()


def test_other_numpy_objects_are_not(tmp_path):
    path = written(tmp_path / "head.pth", {"meta": np.arange(3), "state_dict": TENSORS})

    with pytest.raises(WeightsError, match="refused, it asks to run numpy"):
        read_tensors(path)


@pytest.mark.parametrize("options", [{}, {"_use_new_zipfile_serialization": False}])
def test_a_pickle_that_carries_code_is_refused_and_does_not_run(options, tmp_path):
    marker = tmp_path / "the-code-ran"
    path = written(tmp_path / "evil.pth", {**TENSORS, "x": Touch(marker)}, **options)

    with pytest.raises(WeightsError, match=rf"{path}: refused, it asks to run \w+\.system"):
        read_tensors(path)

    assert not marker.exists()
    torch.load(path, weights_only=False)  # the file is as harmful as it claims
    assert marker.exists()


@pytest.mark.parametrize("protocol", range(6))
def test_a_bare_pickle_is_refused_and_does_not_run(protocol, tmp_path):
    marker, path = tmp_path / "the-code-ran", tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps(Touch(marker), protocol=protocol))

    with pytest.raises(WeightsError, match=str(path)):
        read_tensors(path)

    assert not marker.exists()


def test_a_refusal_never_advises_to_switch_the_protection_off(tmp_path):
    path = written(tmp_path / "evil.pth", {"x": Touch(tmp_path / "ran")})

    with pytest.raises(WeightsError) as caught:
        read_tensors(path)

    assert "weights_only" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("kept", [0, 1, 5, 9, 60, 400, 3000, -1])
@pytest.mark.parametrize("kind", ["new.pth", "old.pth", "plain.safetensors"])
def test_a_file_cut_short_anywhere_is_an_error_that_names_it(kind, kept, tmp_path):
    options = {"_use_new_zipfile_serialization": False} if kind == "old.pth" else {}
    path = written(tmp_path / kind, **options)
    path.write_bytes(path.read_bytes()[:kept])

    with pytest.raises(WeightsError, match=re.escape(str(path))):
        read_tensors(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "not a weights file"), (b"<!DOCTYPE html>", "begins with b'<!DOCTYPE'")],
)
def test_another_kind_of_file_is_an_error(content, message, tmp_path):
    path = tmp_path / "page.pth"
    path.write_bytes(content)

    with pytest.raises(WeightsError, match=message):
        read_tensors(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([torch.ones(1)], "holds list, not named tensors"),
        ({}, "holds dict, not named tensors"),
        ({"a": torch.ones(1), "epoch": 3}, "entries that are no tensors: epoch"),
    ],
)
def test_a_file_without_named_tensors_is_an_error(content, message, tmp_path):
    with pytest.raises(WeightsError, match=message):
        read_tensors(written(tmp_path / "odd.pth", content))


@pytest.mark.parametrize(
    "odd",
    [torch.eye(2).to_sparse(), torch.ones(2, dtype=torch.complex64)],
    ids=["sparse", "complex"],
)
def test_tensors_that_no_model_has_are_named(odd, tmp_path):
    with pytest.raises(
        WeightsError, match=r"odd\.pth: tensors that are sparse or .* numbers.*: b;"
    ):
        read_tensors(written(tmp_path / "odd.pth", {"a": torch.ones(1), "b": odd}))


def test_a_missing_file_and_a_folder_are_errors(tmp_path):
    with pytest.raises(WeightsError, match=r"none\.pth: cannot be read \(No such file"):
        read_tensors(tmp_path / "none.pth")
    with pytest.raises(WeightsError, match=r"cannot be read \(Is a directory"):
        sha256_file(tmp_path)


def test_the_layout_check_names_file_and_keys():
    got = {"a": torch.ones(2), "b": torch.ones(3), "x": torch.ones(1)}
    want = {"a": torch.ones(2), "b": torch.ones(4), **{f"c{i}": torch.ones(1) for i in range(6)}}

    with pytest.raises(WeightsError) as caught:
        check_layout(Path("vit.pth"), got, want)

    assert str(caught.value) == (
        "vit.pth: does not fit the model; another size: b is [3], the model has [4]; "
        "missing keys: c0, c1, c2, c3 and 2 more; unexpected keys: x"
    )


def test_hashes_are_those_of_the_bytes(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")

    assert sha256_file(path).startswith("ba7816bf8f01cfea414140de5dae2223")  # FIPS 180-2, B.1


def test_the_hash_of_tensors_sees_names_values_shapes_and_dtypes_but_not_order():
    one = {"a": torch.ones(4), "b": torch.zeros(2)}
    others = [
        {"a": torch.ones(4), "c": torch.zeros(2)},
        {"a": torch.ones(4), "b": torch.ones(2)},
        {"a": torch.ones(2, 2), "b": torch.zeros(2)},
        {"a": torch.ones(4), "b": torch.zeros(2, dtype=torch.int32)},
    ]

    assert sha256_tensors(one) == sha256_tensors(dict(reversed(one.items())))
    assert len({sha256_tensors(one), *map(sha256_tensors, others)}) == 5
