"""A verification that is stopped has proved nothing, and says so."""

from __future__ import annotations

import signal
from contextlib import suppress
from pathlib import Path

from operators.errors import DinostreamError

OPERATORS = ["embedding", "brake:Brake"]
PICKED = ["--all", "--runtime=inline", *(f"--operator={name}" for name in OPERATORS)]


def test_what_is_stopped_before_its_end_is_not_called_the_same(
    jobs, tools, small_clip, tmp_path: Path, braked, monkeypatch
):
    clip, sink = tmp_path / "a.mp4", f"sqlite:{tmp_path}/there.db"
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    small_clip(clip, "bars", number=3, frames=160)
    braked.touch()
    tools.run_inline([clip], sink, sampling={"all": True}, operators=OPERATORS)
    braked.unlink()
    job = jobs.start(clip, *PICKED, "--verify", sink)
    tools.wait_until(lambda: something_is_computed(tools, tmp_path), job)
    job.send_signal(signal.SIGINT)
    assert any("again to quit now" in line for line in job.stderr)
    braked.touch()
    out, err = job.communicate()
    assert (job.returncode, out) == (128 + signal.SIGINT, "")
    assert "nothing is proved" in err


def something_is_computed(tools, folder: Path) -> bool:
    for database in folder.glob("dinostream-verify-*/computed.db"):
        with suppress(DinostreamError):  # not made yet
            return any(topic == "embedding" for topic, _ in tools.records(f"sqlite:{database}"))
    return False
