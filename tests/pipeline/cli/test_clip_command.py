"""`dinostream clip` of records that are not as dinostream writes them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest

from pipeline.sinks.uri import open_sink


@pytest.mark.parametrize("time", [None, "yesterday", "2026-11-22T17:00:00"])
def test_a_record_that_does_not_say_when_its_frame_came_is_told(dinostream, build, tmp_path, time):
    message = build.message(1)
    headers = {name: said for name, said in message.headers.items() if name != "ce_ingesttime"}
    headers |= {} if time is None else {"ce_ingesttime": time}
    with closing(open_sink(f"sqlite:{tmp_path / 'r.db'}")) as sink:
        sink.publish([replace(message, headers=headers)])
    where = ("--around", message.id, "--tape", tmp_path, "-o", "clip.mp4")
    done = dinostream("clip", "sqlite:r.db", *where)
    assert done.returncode == 2
    assert f"{message.id} does not say when its frame came" in done.stderr
    assert "Traceback" not in done.stderr
