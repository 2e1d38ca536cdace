"""Where heads come from, and which backbone they fit."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from operators.backbones.architectures import ARCHITECTURES
from operators.errors import UsageError, WeightsError
from operators.weights import head_request
from operators.weights.catalogue import official_head
from operators.weights.digest import sha256_file
from operators.weights.head_request import HeadRequest, MissingHead
from operators.weights.heads import random_head, trained_head
from operators.weights.official_file import OfficialFile

MINE, OTHER = "a" * 64, "b" * 64
VITS14 = "b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9"
LAYOUT = {"b.weight": (3, 2, 1, 1), "a.bias": (3,), "bn.weight": (2,), "bn.running_var": (2,)}


def request(choice: str | None = None, **options: Any) -> HeadRequest:
    known = {
        "operator": "depth",
        "architecture": ARCHITECTURES["dinov2_vits14"],
        "backbone_sha256": MINE,
    }
    return HeadRequest(**(known | {"choice": choice} | options))


def own_file(path: Path, header: Any) -> str:
    text = header if isinstance(header, str) else json.dumps(header)
    save_file({"w": torch.ones(2)}, path, metadata={"dinostream": text})
    return str(path)


def header(**changed: Any) -> dict[str, Any]:
    return {"format": 1, "operator": "depth", "backbone": MINE} | changed


def test_our_own_file_brings_its_header_and_hash(tmp_path: Path) -> None:
    path = own_file(tmp_path / "own.safetensors", header(range_m=[0.1, 5]))
    head = trained_head(request(path))
    assert head.facts["range_m"] == [0.1, 5]
    assert head.sha256 == sha256_file(Path(path))
    assert list(head.tensors) == ["w"]
    assert not head.untrained


def test_a_head_of_another_backbone_is_refused_with_both_hashes(tmp_path: Path) -> None:
    path = own_file(tmp_path / "own.safetensors", header(backbone=OTHER))
    with pytest.raises(
        WeightsError, match=rf"own\.safetensors: was .*{OTHER}, this run's has {MINE}"
    ):
        trained_head(request(path))


def test_a_head_of_another_model_is_refused_though_the_file_is_one(tmp_path: Path) -> None:
    path = own_file(tmp_path / "own.safetensors", header(model="deit_small_patch16_224"))
    said = r"own\.safetensors: was fitted on deit_small_patch16_224, the model is"
    with pytest.raises(WeightsError, match=said):
        trained_head(request(path))


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (header(operator="action"), "its header says operator 'action', expected 'depth'"),
        (header(format=2), "its header says format 2, expected 1"),
        (header(backbone=None), "its header says backbone None"),
        ([1], "must be a JSON object"),
        ("{", "its header cannot be read"),
    ],
)
def test_headers_that_do_not_do(tmp_path: Path, written: Any, why: str) -> None:
    with pytest.raises(WeightsError, match=why):
        trained_head(request(own_file(tmp_path / "own.safetensors", written)))


def test_no_such_file_and_no_such_name(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"gone\.pth: no such head file; --head depth takes"):
        trained_head(request(str(tmp_path / "gone.pth")))
    with pytest.raises(WeightsError, match="no such head file"):
        trained_head(request(str(tmp_path)))
    with pytest.raises(WeightsError, match=r"no official depth head 'mars'.*nyu-linear4"):
        trained_head(request("mars"))


def test_damaged_files_are_named(tmp_path: Path) -> None:
    path = Path(own_file(tmp_path / "own.safetensors", header()))
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(WeightsError, match=r"own\.safetensors: its header cannot be read"):
        trained_head(request(str(path)))


@pytest.mark.parametrize("name", ["nyu_linear4", "nyu-linear4"])
def test_an_official_name_belongs_to_the_official_backbone(name: str) -> None:
    with pytest.raises(
        WeightsError, match=rf"nyu_linear4_head\.pth: .*{VITS14}, this run's has aa"
    ):
        trained_head(request(name))


def test_an_official_file_keeps_its_meaning_wherever_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "dinov2_vits14_kitti_linear_head.pth"
    torch.save({"state_dict": {"w": torch.ones(2)}}, path)
    head = trained_head(request(str(path), backbone_sha256=VITS14))
    assert head.facts == {"domain": "kitti"}
    with pytest.raises(WeightsError, match=f"{VITS14}, this run's has {MINE}"):
        trained_head(request(str(path)))
    big = request(str(path), architecture=ARCHITECTURES["dinov2_vitb14"])
    with pytest.raises(WeightsError, match="trained on dinov2_vits14, the model is dinov2_vitb14"):
        trained_head(big)


@pytest.fixture
def official_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Mapping[str, bytes]], None]:
    """Serve bytes by file name where the catalogue's heads are looked for; on loopback."""

    def serve(files: Mapping[str, bytes]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = files[self.path.rsplit("/", 1)[-1]]
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)

        def local(operator: str, model: str, name: str) -> OfficialFile:
            file = official_head(operator, model, name)
            url = f"http://127.0.0.1:{server.server_port}/{file.file_name}"
            return OfficialFile(url, operator, model, name)

        monkeypatch.setattr(head_request, "official_head", local)

    servers: list[ThreadingHTTPServer] = []
    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_an_official_head_is_fetched_once_and_pinned(
    tmp_path: Path,
    official_server: Callable[[Mapping[str, bytes]], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    torch.save({"state_dict": {"w": torch.ones(2)}}, tmp_path / "served.pth")
    name = "dinov2_vits14_nyu_linear_head.pth"
    served = {name: (tmp_path / "served.pth").read_bytes()}
    official_server(served)
    wanted = request("nyu_linear", backbone_sha256=VITS14, cache_dir=tmp_path / "cache")

    with caplog.at_level(logging.WARNING):
        head = trained_head(wanted)
    served.clear()
    again = trained_head(wanted)

    assert head.facts == {"domain": "nyu"}
    assert head.sha256 == again.sha256 == sha256_file(tmp_path / "cache" / name)
    assert f"pinned at this first use to sha256 {head.sha256}" in caplog.text


def test_a_file_that_names_no_backbone_is_taken_aloud(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "mine.pth"
    torch.save({"w": torch.ones(2)}, path)
    with caplog.at_level(logging.INFO):
        assert trained_head(request(str(path))).facts == {}
    assert f"does not say which backbone it was trained on; taken for {MINE}" in caplog.text


def test_trained_heads_do_not_go_on_random_weights(tmp_path: Path) -> None:
    path = tmp_path / "mine.pth"
    torch.save({"w": torch.ones(2)}, path)
    with pytest.raises(UsageError, match="a trained head says nothing on random weights"):
        trained_head(request(str(path), random_seed=0))


def test_random_only_with_random_weights() -> None:
    assert request(random_seed=0).wants_random
    assert request("random", random_seed=0).wants_random
    assert not request("nyu-linear").wants_random
    with pytest.raises(UsageError, match="--head depth=random needs --weights random"):
        _ = request("random").wants_random
    with pytest.raises(MissingHead, match=r"NAME \(nyu-linear, nyu-linear4, nyu-dpt,.*kitti-dpt\)"):
        _ = request().wants_random


def test_random_numbers_are_the_same_everywhere() -> None:
    """The hash is pinned, so that a machine or a numpy that draws others is noticed."""
    head = random_head(request(random_seed=5), LAYOUT, {"domain": "own"})
    assert head.untrained
    assert head.tensors["a.bias"].tolist() == [0, 0, 0]
    assert head.tensors["bn.weight"].tolist() == head.tensors["bn.running_var"].tolist() == [1, 1]
    assert head.tensors["b.weight"].shape == (3, 2, 1, 1)
    assert head.sha256 == random_head(request(random_seed=5), LAYOUT, {}).sha256
    others = [request(random_seed=6), request(random_seed=5, operator="action")]
    assert len({head.sha256, *(random_head(one, LAYOUT, {}).sha256 for one in others)}) == 3
    assert head.sha256[:16] == "b85700c6a0ee677a"
