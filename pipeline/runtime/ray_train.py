"""Processes of a Ray cluster that do one piece of work together, as those of `process_group` do.

Ray Train starts them, gives each a GPU where the cluster has some, and starts all anew where one is
lost: work goes on from what it has saved. Its packages are an extra.
"""

from __future__ import annotations

import os
import shutil
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import ray
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh

from operators.errors import DinostreamError, UsageError
from operators.pretrain.sharded import Sharded
from pipeline.errors import RuntimeFailure
from pipeline.runtime.process_group import SILENCE_S, Tell, Work
from pipeline.runtime.ray_cluster import cluster

STARTS = 4  # of all processes, before a training is given up
_LOOK_S = 0.5
_NAME = "ray-train"


def train_on_ray(work: Work, count: int, *, address: str, folder: Path, tell: Tell) -> None:
    """Do it on a cluster, and wait for it.

    Args:
        work: what each process does, once with every start.
        count: of processes; a CPU each, or a GPU, where the cluster has some.
        address: of the cluster, as `cluster` takes it.
        folder: that all its machines see under this name.
        tell: hears how far the first process is.

    Raises:
        UsageError: packages are missing, or there are fewer GPUs.
        DinostreamError: a process raised it.
        RuntimeFailure: processes died again and again, or there is no cluster.
    """
    _require_packages()
    with cluster(address):
        cards = int(ray.cluster_resources().get("GPU", 0))
        if 0 < cards < count:
            raise UsageError(f"{count} processes want a GPU each, and the cluster has {cards}")
        voice = ray.remote(num_cpus=0)(_Voice).remote()
        given = {"work": work, "voice": voice, "here": os.getcwd()}
        run = _Run(given, count, folder, use_gpu=cards > 0)
        try:
            while not run.over.wait(_LOOK_S):
                _listen(voice, tell)
            _listen(voice, tell)
        finally:
            shutil.rmtree(folder / _NAME, ignore_errors=True)
    if run.error is not None:
        why = (str(run.error).strip() or type(run.error).__name__).splitlines()[-1]
        raise RuntimeFailure(
            f"Ray Train has given up, after {STARTS} starts at most: {why}; what was saved is "
            "kept, the same command goes on"
        ) from run.error


class _Run:
    """Ray Train's call, which waits for the end, on a thread of its own.

    Attributes:
        over: it has ended.
        error: with what.
    """

    def __init__(self, given: dict[str, Any], count: int, folder: Path, *, use_gpu: bool) -> None:
        from ray.train import FailureConfig, RunConfig, ScalingConfig
        from ray.train.torch import TorchConfig, TorchTrainer

        self.over = threading.Event()
        self.error: BaseException | None = None
        self._trainer = TorchTrainer(
            _member,
            train_loop_config=given,
            torch_config=TorchConfig(timeout_s=int(SILENCE_S)),
            scaling_config=ScalingConfig(num_workers=count, use_gpu=use_gpu),
            run_config=RunConfig(
                name=_NAME,
                storage_path=str(folder.resolve()),
                failure_config=FailureConfig(max_failures=STARTS - 1),
            ),
        )
        threading.Thread(target=self._fit, name="ray-train", daemon=True).start()

    def _fit(self) -> None:
        try:
            self._trainer.fit()
        except BaseException as error:  # even an exit, which is how Ray ends it with the cluster
            self.error = error
        finally:
            self.over.set()


class _Voice:
    """An actor that processes speak to, and the driver asks."""

    def __init__(self) -> None:
        self._said: tuple[float | None, str] | None = None
        self._error: DinostreamError | None = None

    def say(self, share: float | None, so_far: str) -> None:
        self._said = (share, so_far)

    def fail(self, error: DinostreamError) -> None:
        self._error = self._error or error

    def heard(self) -> tuple[tuple[float | None, str] | None, DinostreamError | None]:
        """What is new, and what ends all: another start would not help."""
        said, self._said = self._said, None
        return said, self._error


def _listen(voice: Any, tell: Tell) -> None:
    said, error = ray.get(voice.heard.remote())
    if said is not None:
        tell(*said)
    if error is not None:
        raise error


def _member(given: dict[str, Any]) -> None:
    """What each process does; Ray has made them a group."""
    import ray.train.torch

    with suppress(OSError):  # paths may be relative; where there is no such folder they must not
        os.chdir(given["here"])
    device, voice = ray.train.torch.get_device(), given["voice"]
    processes = Sharded(init_device_mesh(device.type, (dist.get_world_size(),)))

    def tell(share: float | None, so_far: str) -> None:
        if processes.rank == 0:
            voice.say.remote(share, so_far)

    try:
        given["work"](processes, device, tell)
    except DinostreamError as error:
        ray.get(voice.fail.remote(error))
        raise


def _require_packages() -> None:
    try:
        import ray.train.torch  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f"a Ray cluster trains with packages that are not installed ({error}): install "
            "dinostream with the extra, pip install '.[train]', on all its machines; without "
            "--address processes of this machine train"
        ) from None
