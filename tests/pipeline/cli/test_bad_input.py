"""What a user can get wrong with `replay`: one clear error, its exit code, no traceback."""

import json
import os
import pickle
import sqlite3
from contextlib import closing

import pytest
import torch

SCENE = "synthetic:room?seconds=1&fps=5&size=160x90"


@pytest.fixture
def replay(dinostream):
    """`replay` with the smallest model; later options win. Gives the finished process."""

    def run(*arguments):
        done = dinostream(
            *("--log-level", "error", "replay", "--weights", "random", "--runtime", "inline"),
            *("--model", "dinov2_vitti14", "--operator", "embedding", "--threads", "1"),
            *arguments,
        )
        assert "Traceback" not in done.stderr
        assert "bug in dinostream" not in done.stderr
        return done

    return run


def refusal(done, code=2):
    """The error line of a process that must have failed with that code and printed nothing else."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    return done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_a_good_run_is_0_and_says_so_when_it_is_complete(replay, dinostream):
    report = json.loads(replay(SCENE, "--json").stdout)
    assert report["records"]["embedding"] == 5
    assert report["streams"] == {"room-1": "ok"}
    again = replay(SCENE)
    assert again.returncode == 0
    assert "complete already; --fresh" in again.stderr
    assert len(dinostream("tail", "sqlite:results.db", "embedding").stdout.splitlines()) == 5


def test_no_such_file(replay):
    assert "no such file or folder: clip.mp4" in refusal(replay("clip.mp4"))


def test_an_empty_folder(replay, tmp_path):
    (tmp_path / "clips").mkdir()
    assert "no video file in clips" in refusal(replay("clips"))


@pytest.mark.slow
def test_a_text_file_alone_fails_and_beside_others_is_reported(replay, tmp_path):
    notes = "n\udcf6tes.mp4"  # no UTF-8, which is nothing to fail of
    (tmp_path / notes).write_text("buy milk\n")
    alone = replay(notes, "--json")
    assert alone.returncode == 1
    assert json.loads(alone.stdout)["streams"] == {"n-tes.mp4": "rejected"}
    beside = replay(notes, SCENE, "--json", "--sink", "sqlite:other.db")
    assert beside.returncode == 3
    report = json.loads(beside.stdout)
    assert report["streams"] == {"n-tes.mp4": "rejected", "room-1": "ok"}
    assert "cannot be opened" in report["failures"]["n-tes.mp4"]


@pytest.mark.slow
def test_a_file_without_pictures(replay, shared_media):
    done = replay(shared_media / "corrupt" / "sample_audio_only.mp4", "--json")
    assert done.returncode == 1
    assert "no video, only audio" in json.loads(done.stdout)["failures"]["sample_audio_only.mp4"]


def test_one_source_twice(replay):
    assert "is given 2 times" in refusal(replay(SCENE, SCENE))


def test_one_name_for_two_sources(replay, tmp_path):
    (tmp_path / "run.yaml").write_text(
        f"streams:\n  gate: {{url: '{SCENE}'}}\n  gate: {{url: '{SCENE}&seed=2'}}\n"
    )
    assert "run.yaml line 3: the key 'gate' is written twice" in refusal(
        replay("--config", "run.yaml")
    )


def test_an_unknown_scene_parameter(replay):
    assert "secnods" in refusal(replay("synthetic:room?secnods=1"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--operator", "detph"], "did you mean depth?"),
        (["--operator", "nowhere_at_all:Blur"], "cannot import 'nowhere_at_all'"),
        (["--set", "operators.embedding.dims=3"], "operator embedding has no setting 'dims'"),
        (["--model", "dinov2_vits15"], "Did you mean dinov2_vits14?"),
        (["--head", "embeding=x.pth"], "did you mean embedding?"),
        (["--weights", "absent.pth"], "absent.pth: no such weights file"),
        (["--weights", "demo", "--model", "dinov2_vits14"], "leave out --model dinov2_vits14"),
        (["--sink", "mysql:x"], "is of no known kind"),
        (["--sink", "kafka://host"], "names no broker at 'host'"),
        (["--sink", "sqlite:"], "names no file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_unknown_names(replay, options, said):
    assert said in refusal(replay(SCENE, *options))


class Trap:
    def __reduce__(self):
        return (os.mkdir, ("sprung",))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"cls_token": torch.zeros(1, 1, 384)}, "another size: cls_token"),
        ({"cls_token": torch.zeros(1, 1, 192)}, "missing keys: "),
        ("truncated", "damaged or cut short"),
        ("pickle", "it asks to run"),
        ("text", "not a weights file"),
    ],
    ids=["another size", "missing keys", "truncated", "pickle", "text"],
)
def test_weights_that_do_not_fit(replay, tmp_path, content, said):
    path = tmp_path / "weights.pth"
    if isinstance(content, dict):
        torch.save(content, path)
    elif content == "truncated":
        torch.save({"cls_token": torch.zeros(1, 1, 192)}, path)
        path.write_bytes(path.read_bytes()[:-400])
    else:
        bad = {"pickle": pickle.dumps({"cls_token": Trap()}, protocol=2), "text": b"weights\n"}
        path.write_bytes(bad[content])
    line = refusal(replay(SCENE, "--weights", "weights.pth"))
    assert "weights.pth" in line
    assert said in line
    assert not (tmp_path / "sprung").exists()


def test_official_weights_without_a_network(replay, environment):
    environment["https_proxy"] = "http://127.0.0.1:1"  # nobody listens there
    line = refusal(replay(SCENE, "--model", "dinov2_vits14", "--weights", "auto"))
    assert "cannot fetch https://" in line
    assert "--weights PATH" in line


def test_a_sink_below_a_file(replay, tmp_path):
    (tmp_path / "file").touch()
    assert "file is a file, not a folder" in refusal(replay(SCENE, "--sink", "sqlite:file/r.db"))


def test_a_run_that_cannot_begin_leaves_no_database(replay, tmp_path):
    wrong = ("--set", "operators.embedding.dim=3", "--sink", "sqlite:new/r.db")
    assert "no setting 'dim'" in refusal(replay(SCENE, *wrong))
    assert not (tmp_path / "new").exists()


def test_a_sink_that_is_something_else(replay, tmp_path):
    (tmp_path / "notes.db").write_text("buy milk\n" * 100)
    assert "no SQLite database" in refusal(replay(SCENE, "--sink", "sqlite:notes.db"))
    assert (tmp_path / "notes.db").read_text() == "buy milk\n" * 100


def test_a_sink_of_another_program(replay, tmp_path):
    with closing(sqlite3.connect(tmp_path / "diary.db")) as other, other:
        other.execute("CREATE TABLE entries(day)")
    other.close()
    assert "diary.db" in refusal(replay(SCENE, "--sink", "sqlite:diary.db"))


@pytest.mark.slow
def test_a_sink_of_a_newer_version(replay, tmp_path):
    assert replay(SCENE).returncode == 0
    with closing(sqlite3.connect(tmp_path / "results.db")) as database, database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    assert "newer" in refusal(replay(SCENE))


@pytest.mark.slow
def test_a_broker_that_is_not_there(replay, tmp_path):
    (tmp_path / "short.yaml").write_text(
        "sink: {uri: 'kafka://127.0.0.1:1', settings: {attempt_s: 1}}\n"
    )
    line = refusal(replay(SCENE, "--config", "short.yaml"), code=1)
    assert "kafka://127.0.0.1:1" in line
    assert "within" in line
