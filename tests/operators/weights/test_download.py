"""Fetching from a real server on loopback, with its faults: cut, silent, lying, absent, slow."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import multiprocessing
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
import torch

from operators.errors import WeightsError
from operators.weights.cache import default_cache_dir
from operators.weights.download import fetch
from operators.weights.official_file import OfficialFile


@pytest.fixture
def content(tmp_path):
    path = tmp_path / "served.pth"
    torch.save({"a": torch.arange(600_000.0)}, path)
    return path.read_bytes()


@pytest.fixture
def server(content):
    """A server for /vit.pth; `content`, `cut_at`, `status` and `gate` say how it behaves."""
    state = SimpleNamespace(content=content, cut_at=None, status=200, gate=None, requests=0)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            state.requests += 1
            if state.gate is not None:
                state.gate.wait(timeout=60)
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(state.content)))
            self.end_headers()
            with suppress(ConnectionError):  # the client may hang up, that is what some tests do
                self.wfile.write(state.content[: state.cut_at])

        def log_message(self, *args):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    state.url = f"http://127.0.0.1:{http.server_port}/vit.pth"
    yield state
    http.shutdown()
    http.server_close()
    thread.join()


def official(server, **known) -> OfficialFile:
    return OfficialFile(server.url, "backbone", "dinov2_vits14", **known)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def visible(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_a_file_is_fetched_once_and_verified_every_time(server, content, tmp_path):
    cache = tmp_path / "new" / "cache"
    file = official(server, size_bytes=len(content), sha256=sha256(content))

    first, second = fetch(file, cache), fetch(file, cache)

    assert first == second
    assert first.sha256 == sha256(content)
    assert first.path.read_bytes() == content
    assert server.requests == 1
    assert visible(cache) == ["vit.pth"]


def test_progress_reaches_the_whole(server, content, tmp_path):
    steps = []

    fetch(official(server), tmp_path, progress=lambda done, total: steps.append((done, total)))

    assert steps[-1] == (len(content), len(content))
    assert [done for done, _ in steps] == sorted({done for done, _ in steps})
    assert len(steps) > 1


def test_an_unpinned_file_is_pinned_aloud_at_first_use(server, content, tmp_path, caplog):
    cache = tmp_path / "cache"
    with caplog.at_level(logging.WARNING):
        fetch(official(server), cache)

    pin = json.loads((cache / "vit.pth.json").read_text())
    assert pin == {"url": server.url, "bytes": len(content), "sha256": sha256(content)}
    assert f"pinned at this first use to sha256 {sha256(content)}" in caplog.text


def test_a_pinned_file_that_changed_upstream_is_refused(server, tmp_path):
    cache = tmp_path / "cache"
    fetch(official(server), cache).path.unlink()
    server.content = server.content[:-1] + b"!"

    with pytest.raises(WeightsError, match=r"server sent sha256 .*as first used, .*vit\.pth\.json"):
        fetch(official(server), cache)

    assert visible(cache) == ["vit.pth.json"]


def test_a_cached_file_that_changed_is_refused(server, tmp_path):
    cache = tmp_path / "cache"
    path = fetch(official(server), cache).path
    path.write_bytes(path.read_bytes()[:-1] + b"!")

    with pytest.raises(WeightsError, match=rf"{path}: has sha256 .*; delete it to fetch"):
        fetch(official(server), cache)


def test_a_vocabulary_is_a_gzip_or_nothing_is_kept(server, tmp_path):
    cache = tmp_path / "cache"
    url = server.url.replace("vit.pth", "vocabulary.txt.gz")
    file = OfficialFile(url, "words", "dinov2_vitl14_reg", "vocabulary")
    server.content = b"<html>please log in</html>"
    with pytest.raises(WeightsError, match=r"vocabulary\.txt\.gz\.part: no gzip \(it begins with"):
        fetch(file, cache)
    assert visible(cache) == []
    server.content = gzip.compress(b"p h")
    assert fetch(file, cache).sha256 == sha256(server.content)
    server.status = 404
    (cache / "vocabulary.txt.gz").unlink()
    with pytest.raises(WeightsError, match="or name it with --vocabulary PATH"):
        fetch(file, cache)


def test_a_file_put_there_by_hand_is_verified_and_pinned(server, content, tmp_path):
    (tmp_path / "vit.pth").write_bytes(content)

    assert fetch(official(server), tmp_path).sha256 == sha256(content)
    assert server.requests == 0
    assert json.loads((tmp_path / "vit.pth.json").read_text())["sha256"] == sha256(content)


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"size_bytes": 5}, "the server sent .* bytes where 5 belong; nothing of it was kept"),
        ({"sha256": "0" * 64}, "the server sent sha256 .* where 0000"),
    ],
)
def test_other_bytes_than_the_catalogues_are_refused(known, message, server, tmp_path):
    cache = tmp_path / "cache"

    with pytest.raises(WeightsError, match=message):
        fetch(official(server, **known), cache)

    assert visible(cache) == []


def test_a_transfer_that_is_cut_leaves_nothing_and_can_be_repeated(server, content, tmp_path):
    cache, server.cut_at = tmp_path / "cache", 1_500_000

    with pytest.raises(
        WeightsError, match=f"ended after 1500000 of {len(content)} bytes"
    ) as caught:
        fetch(official(server), cache)

    assert caught.value.retryable
    assert visible(cache) == []
    server.cut_at = None
    assert fetch(official(server), cache).path.read_bytes() == content


def test_an_interruption_leaves_nothing(server, tmp_path):
    cache = tmp_path / "cache"

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(official(server), cache, progress=interrupt)

    assert visible(cache) == []


def test_leftovers_of_a_killed_process_are_overwritten(server, content, tmp_path):
    (tmp_path / "vit.pth.part").write_bytes(b"x" * (len(content) + 99))

    assert fetch(official(server), tmp_path).path.read_bytes() == content
    assert "vit.pth.part" not in visible(tmp_path)


def test_a_login_page_is_never_pinned(server, tmp_path):
    cache, server.content = tmp_path / "cache", b"<html>please log in</html>"

    with pytest.raises(WeightsError, match="not a weights file"):
        fetch(official(server), cache)

    assert visible(cache) == []


def test_a_silent_server_is_given_up_on(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/vit.pth"
        with pytest.raises(WeightsError, match=r"cannot fetch .*timed out") as caught:
            fetch(OfficialFile(url, "backbone", "dinov2_vits14"), tmp_path, timeout_s=0.2)

    assert caught.value.retryable


@pytest.mark.parametrize("kind", ["absent", "no host", "no server"])
def test_a_network_failure_says_what_to_do(kind, server, tmp_path):
    server.status = 404
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    url = {
        "absent": server.url,
        "no host": "https://no-such-host.invalid/vit.pth",
        "no server": f"http://127.0.0.1:{port}/vit.pth",
    }[kind]

    with pytest.raises(WeightsError) as caught:
        fetch(OfficialFile(url, "backbone", "dinov2_vits14"), tmp_path)

    text = str(caught.value)
    assert text.startswith(f"cannot fetch {url} (")
    assert f"put it at {tmp_path / 'vit.pth'}, or name it with --weights PATH" in text
    assert "--weights demo" in text


def test_a_cache_that_cannot_be_made_is_an_error_that_names_it(server, tmp_path):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(WeightsError, match=f"{tmp_path / 'file'}.*: (Not a directory|File exists)"):
        fetch(official(server), tmp_path / "file")


def test_a_damaged_pin_is_an_error_that_names_it(server, content, tmp_path):
    (tmp_path / "vit.pth").write_bytes(content)
    (tmp_path / "vit.pth.json").write_text("{}")

    with pytest.raises(WeightsError, match=r"vit\.pth\.json: not a pin; delete it"):
        fetch(official(server), tmp_path)


def fetch_and_tell(file, cache, ready, results):
    ready.release()
    results.put(fetch(file, cache).sha256)


@pytest.mark.slow
def test_two_processes_that_want_the_same_file_fetch_it_once(server, content, tmp_path):
    server.gate = threading.Event()
    spawn = multiprocessing.get_context("spawn")
    ready, results = spawn.Semaphore(0), spawn.Queue()
    arguments = (official(server), tmp_path / "cache", ready, results)
    processes = [spawn.Process(target=fetch_and_tell, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    for _ in processes:
        ready.acquire()
    server.gate.set()  # neither can have finished before both began

    hashes = [results.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()

    assert hashes == [sha256(content)] * 2
    assert server.requests == 1


def test_the_default_cache_lies_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))

    assert default_cache_dir() == tmp_path / ".cache" / "dinostream"
