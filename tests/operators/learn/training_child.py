"""Trains on pictures made here, in a process of its own for each `[FOLDER, KILLED_AT]`, a line of
JSON on stdin; answers with the exit code. 0 is never killed.

A training writes the weights, the losses and the first step that it took, or dies by SIGKILL at a
step. All are forked from here, where torch is imported once.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from operators.learn.dense_pictures import DensePicture, dense_batch
from operators.learn.dense_training import Schedule, Split, train


class Pictures:
    """Patches whose truth is linear in them, of two sizes."""

    groups = tuple(str(index) for index in range(12))
    grids = tuple((2, 3) if index % 3 else (3, 2) for index in range(12))

    def read(self, index):
        draw = torch.Generator().manual_seed(index)
        height, width = self.grids[index]
        patches = torch.randn(1, height, width, 8, generator=draw)
        truth = patches[0, :, :, 0].repeat_interleave(14, 0).repeat_interleave(14, 1)
        return DensePicture(patches, torch.zeros(1, 8), truth)


def loss(weights, batch):
    said = F.linear(batch.patches[:, 0], weights["weight"])[..., 0]
    return F.mse_loss(said, batch.truth[:, 2::4, 2::4])


def learn(folder: Path, killed_at: int) -> None:
    steps: list[int] = []

    def tell(step: int, _: int) -> None:
        steps.append(step)
        if step == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    torch.set_num_threads(1)
    fitted = train(
        {"weight": torch.zeros(1, 8)},
        loss,
        Pictures(),
        Split(range(9), range(9, 12)),
        dense_batch,
        schedule=Schedule(steps=60, batch=2, rate=0.05, checks=6),
        tell=tell,
        checkpoint=folder / "cache" / "one.pt",
    )
    save_file(fitted.weights, folder / "weights.safetensors")
    (folder / "said.json").write_text(json.dumps({"first": steps[0], "losses": fitted.losses}))


def main() -> None:
    torch.optim.AdamW([torch.zeros(1)])  # imports more than torch itself does
    for line in sys.stdin:
        folder, killed_at = json.loads(line)
        pid = os.fork()
        if not pid:
            learn(Path(folder), killed_at)
            return
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
