"""An engine on another machine has the driver's files, byte for byte, or is told why not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from operators.errors import WeightsError
from operators.weights.digest import sha256_file
from pipeline.configuration.config import Config
from pipeline.configuration.files import NamedFile
from pipeline.configuration.resolve import resolve
from pipeline.runtime import ray_files
from pipeline.runtime.ray_files import Carrier, FileActor, Offer, carrier, keep

NODE = 56 * "a"


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of three pieces, the last of them not whole."""
    monkeypatch.setattr(ray_files, "PIECE_BYTES", 1000)
    path = tmp_path / "driver" / "own.safetensors"
    path.parent.mkdir()
    path.write_bytes(bytes(range(250)) * 10)
    return path


def offer(path: Path, *, official: bool = False) -> Offer:
    file = NamedFile("weights", path, official)
    return Offer(file, sha256_file(path), path.stat().st_size)


def reader(*offers: Offer) -> Callable[[str, int], bytes]:
    return FileActor(offers).read


def test_a_file_comes_whole_and_once(source: Path, tmp_path: Path) -> None:
    asked = []

    def read(sha256: str, offset: int) -> bytes:
        asked.append(offset)
        return reader(offer(source))(sha256, offset)

    kept = keep(offer(source), read, tmp_path / "cache")
    assert kept.read_bytes() == source.read_bytes()
    assert kept.suffix == source.suffix, "which says what it is"
    assert asked == [0, 1000, 2000, 2500]
    assert keep(offer(source), read, tmp_path / "cache") == kept
    assert asked == [0, 1000, 2000, 2500]


def test_what_was_damaged_in_the_cache_comes_again(source: Path, tmp_path: Path) -> None:
    told = offer(source)
    kept = keep(told, reader(told), tmp_path)
    kept.write_bytes(b"torn")
    assert keep(told, reader(told), tmp_path).read_bytes() == source.read_bytes()


def test_two_files_of_one_name_stay_two(source: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / source.name
    other.parent.mkdir()
    other.write_bytes(b"another backbone")
    one, two = offer(source), offer(other)
    kept = [keep(each, reader(one, two), tmp_path) for each in (one, two)]
    assert [path.read_bytes() for path in kept] == [source.read_bytes(), other.read_bytes()]


def test_an_official_file_goes_where_everybody_looks_for_it(source: Path, tmp_path: Path) -> None:
    told = offer(source, official=True)
    assert keep(told, reader(told), tmp_path) == tmp_path / source.name
    (tmp_path / source.name).write_bytes(b"its loader verifies it")
    assert keep(told, reader(told), tmp_path).read_bytes() == b"its loader verifies it"


def test_a_file_that_changed_since_is_no_weights(source: Path, tmp_path: Path) -> None:
    told = offer(source)
    source.write_bytes(b"a new training")
    with pytest.raises(WeightsError, match=r"own\.safetensors: changed on the driver's machine"):
        keep(told, reader(told), tmp_path / "cache")
    assert not any(path.is_file() for path in (tmp_path / "cache").rglob("*own*s"))


def test_a_file_that_is_gone_is_told_by_its_name(source: Path, tmp_path: Path) -> None:
    told = offer(source)
    source.unlink()
    with pytest.raises(WeightsError, match=r"own\.safetensors: No such file"):
        keep(told, reader(told), tmp_path / "cache")


def test_nothing_else_of_the_driver_can_be_read(source: Path) -> None:
    with pytest.raises(KeyError):
        reader(offer(source))(sha256_file(Path(__file__)), 0)


def test_where_no_file_is_named_nothing_is_started(fake_ray) -> None:
    assert carrier(resolve(None, {"sources": ["synthetic:room"], "weights": "random"})) is None
    assert fake_ray.actors == []


def delivered(carried: Carrier, config: Config) -> tuple[str, bytes, str]:
    got = carried.deliver(config)
    return got.weights, Path(got.weights).read_bytes(), got.heads["depth"]


@pytest.mark.slow
def test_over_a_cluster(connected, source: Path, tmp_path: Path) -> None:
    node = connected.add(num_cpus=1)
    head = tmp_path / "driver" / "head.safetensors"
    head.write_bytes(b"a head")
    values = {"sources": ["synthetic:room"], "operators": ["depth"], "weights": str(source)}
    config = resolve(None, values | {"heads": {"depth": str(head)}})
    carried = carrier(config)
    home = {"env_vars": {"HOME": str(tmp_path / "elsewhere")}}
    try:
        for where, own in ((node.node_id, False), (carried.node, True)):
            there = NodeAffinitySchedulingStrategy(where, soft=False)
            on = ray.remote(num_cpus=0, scheduling_strategy=there, runtime_env=home)(delivered)
            weights, data, its_head = ray.get(on.remote(carried, config))
            assert data == source.read_bytes()
            assert (weights == str(source)) is own
            assert Path(its_head).read_bytes() == b"a head"
            assert weights.startswith(str(tmp_path / ("driver" if own else "elsewhere")))
    finally:
        ray.kill(carried.actor)
        connected.kill(node)
