"""Ray Train's processes do one piece of work together, and go on where one is lost."""

import os
import signal
import sys
import time
from functools import partial

import pytest

from operators.errors import UsageError
from pipeline.runtime.ray_train import train_on_ray

pytestmark = [
    pytest.mark.slow,
    # Ray's own (2.60), of its own settings.
    pytest.mark.filterwarnings("ignore:.use_\\w+. is deprecated:DeprecationWarning"),
]


def untold(share, so_far):
    pass


def test_without_its_packages_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray.train.torch", None)
    with pytest.raises(UsageError, match=r"pip install '.\[train\]'.*processes of this machine"):
        train_on_ray(untold, 2, address="local", folder=tmp_path, tell=untold)


@pytest.fixture
def train(nodes, tmp_path):
    pytest.importorskip("pandas", reason="Ray Train wants the extra `train`")
    return partial(train_on_ray, address=nodes.address, folder=tmp_path)


def test_where_one_is_killed_all_begin_anew_but_not_where_one_says_why(train, tmp_path):
    heard = tmp_path / "heard"

    def work(processes, device, tell):
        with (tmp_path / f"begun-{processes.rank}").open("a") as file:
            file.write("x")
        again = heard.exists()
        tell(0.5, f"{processes.agreed(processes.rank == 0)}, {processes.count} on {device}")
        if processes.rank == 1 and not again:
            # Ray gives up where one dies while others are still being started.
            while not heard.exists():
                time.sleep(0.05)
            os.kill(os.getpid(), signal.SIGKILL)
        processes.agreed(True)
        raise UsageError("no such weights")

    def hear(share, so_far):
        assert (share, so_far) == (0.5, "True, 2 on cpu")
        heard.touch()

    with pytest.raises(UsageError, match="no such weights"):
        train(work, 2, tell=hear)
    assert heard.exists()
    assert [(tmp_path / f"begun-{rank}").read_text() for rank in (0, 1)] == ["xx", "xx"]
