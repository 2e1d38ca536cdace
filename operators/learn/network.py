"""Training the network over a window's frames: windows in -> a head's tensors out.

AdamW with dropout; which strength does, validation decides. Knows nothing of files.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from operators.frame_network import (
    FRAME_BIAS,
    FRAME_WEIGHT,
    FRAME_WIDTH,
    HIDDEN_BIAS,
    HIDDEN_WEIGHT,
    HIDDEN_WIDTH,
)
from operators.frame_vector import FrameVector
from operators.learn.batches import BATCH, batches, class_weights
from operators.learn.classifiers import Candidate
from operators.learn.examples import Examples
from operators.learn.frame_scale import FrameScale
from operators.vector_head import BIAS, WEIGHT

DROPOUTS = (0.1, 0.4)
_RATE = 2e-3
_WEIGHT_DECAY = 0.05
_STEPS = 600
_EPOCHS = 40
_MOST_STEPS = 6000


def network_heads(examples: Examples, vector: FrameVector, *, seed: int = 0) -> Iterator[Candidate]:
    """One network per share of dropout; classes weigh the same however many windows they have.

    Args:
        examples: the training part.
        vector: the tokens of a frame that count.
        seed: of the first weights, the order of examples and what is dropped.
    """
    vectors = examples.vectors(vector)
    scale = FrameScale.of(examples, vectors)
    inputs = (vectors - scale.mean) / scale.deviation
    for dropout in DROPOUTS:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = _Network(inputs.shape[1], examples.frames, len(examples.labels), dropout)
            _descend(network, examples, inputs, seed)
        yield Candidate(f"dropout {dropout:g}", network.folded(scale), {"classifier": "mlp"})


class _Network(nn.Module):
    """`operators.frame_network` and its linear classifier, with dropout between."""

    def __init__(self, width: int, frames: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.frame = nn.Linear(width, FRAME_WIDTH)
        self.hidden = nn.Linear(frames * FRAME_WIDTH, HIDDEN_WIDTH)
        self.classifier = nn.Linear(HIDDEN_WIDTH, classes)
        self.drop = nn.Dropout(dropout)

    def forward(self, frames: Tensor) -> Tensor:
        """Logits `[B, K]` of windows `[B, T, F]`."""
        seen = self.drop(F.gelu(self.frame(frames))).flatten(1)
        logits: Tensor = self.classifier(self.drop(F.gelu(self.hidden(seen))))
        return logits

    @torch.no_grad()
    def folded(self, scale: FrameScale) -> dict[str, Tensor]:
        """As a head file has it, for vectors that are not standardised."""
        weight = self.frame.weight / scale.deviation
        tensors = {
            FRAME_WEIGHT: weight,
            FRAME_BIAS: self.frame.bias - weight @ scale.mean,
            HIDDEN_WEIGHT: self.hidden.weight,
            HIDDEN_BIAS: self.hidden.bias,
            WEIGHT: self.classifier.weight,
            BIAS: self.classifier.bias,
        }
        return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def _descend(network: _Network, examples: Examples, inputs: Tensor, seed: int) -> None:
    rows, targets = torch.from_numpy(examples.rows), torch.from_numpy(examples.targets)
    balance = class_weights(examples)
    optimiser = torch.optim.AdamW(network.parameters(), _RATE, weight_decay=_WEIGHT_DECAY)
    steps = min(max(_STEPS, _EPOCHS * len(targets) // BATCH), _MOST_STEPS)
    network.train()
    for step, batch in zip(range(steps), batches(len(targets), seed), strict=False):
        optimiser.param_groups[0]["lr"] = _RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
        loss = F.cross_entropy(network(inputs[rows[batch]]), targets[batch], weight=balance)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
