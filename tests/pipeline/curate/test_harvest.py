"""What a recording gives is kept whole, and read again as it was."""

import numpy as np
import pytest

from operators.errors import UsageError
from pipeline.curate.harvest import read_harvest
from pipeline.errors import SinkError


@pytest.mark.parametrize("count", [0, 1, 5])
def test_what_is_kept_is_read_again_bit_by_bit(harvested, tmp_path, count):
    given = harvested(np.eye(8)[:count], times_s=[1e9 + n / 3 for n in range(count)])
    given.write(tmp_path / "x.safetensors")
    found = read_harvest(tmp_path / "x.safetensors")
    assert found.candidates == given.candidates
    assert found.units.tobytes() == given.units.tobytes()
    assert (found.stream, found.source, found.counted) == ("gate", "/films/gate", given.counted)
    assert [path.name for path in tmp_path.iterdir()] == ["x.safetensors"]


def test_the_same_gives_the_same_bytes(harvested, tmp_path):
    for name in ("a", "b"):
        harvested(np.eye(8)[:3]).write(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_something_else_is_named(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"something else")
    with pytest.raises(UsageError, match=r"x.safetensors is no recording's candidates .*remove it"):
        read_harvest(tmp_path / "x.safetensors")


def test_a_place_that_cannot_be_written_is_named(harvested, tmp_path):
    with pytest.raises(SinkError, match="cannot write"):
        harvested(np.eye(8)[:3]).write(tmp_path / "absent" / "x.safetensors")
