import os
import signal
from functools import partial
from pathlib import Path

import pytest

from operators.errors import UsageError
from pipeline.errors import RuntimeFailure
from pipeline.runtime.process_group import run_together

pytestmark = pytest.mark.slow


def untold(share, so_far):
    pass


def work(folder, processes, device, tell):
    """Rank 1 is killed while the other one waits for it."""
    (folder / f"{processes.rank}-of-{processes.count}").write_text(str(os.getpid()))
    tell(0.5, f"rank {processes.rank}")
    if processes.rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    processes.agreed(True)
    (folder / "went on").touch()


def test_where_one_is_killed_all_end_and_it_is_told_which(tmp_path):
    heard = []
    with pytest.raises(RuntimeFailure, match=r"process 2 of 2 was killed \(SIGKILL\)"):
        run_together(partial(work, tmp_path), 2, tell=lambda *said: heard.append(said))
    assert heard == [(0.5, "rank 0")]
    pids = [int((tmp_path / f"{rank}-of-2").read_text()) for rank in (0, 1)]
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not (tmp_path / "went on").exists()


def failing(processes, device, tell):
    if processes.rank == 1:
        raise UsageError("no such weights")
    processes.agreed(True)


def test_what_one_raises_is_raised_here_and_not_what_the_others_lose_by_that():
    with pytest.raises(UsageError, match=r"^no such weights$"):
        run_together(failing, 2, tell=untold)
