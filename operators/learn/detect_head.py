"""A head that finds things of one's own: pictures with boxes in, and masks where the decoder is to
tell them -> the tensors of a decoder out.

Trained by set prediction on frozen features, with the same loss on what every patch proposes and
on what queries say after each layer.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import functional_call

from operators.detect.decoder import Decoder, DecoderShape
from operators.learn.dense_pictures import DensePictures
from operators.learn.dense_training import Fitted, Schedule, Split, Tell, train
from operators.learn.set_loss import set_loss
from operators.learn.things import ThingBatch, thing_batch

_PROPOSALS = 4  # patches that should each propose a thing; queries then agree on one
_RARELY = 0.01  # how probable a thing is before anything is learnt


def fit_detect_head(
    pictures: DensePictures,
    split: Split,
    classes: int,
    *,
    shape: DecoderShape,
    schedule: Schedule,
    tell: Tell,
    checkpoint: Path | None = None,
) -> tuple[dict[str, Tensor], Fitted]:
    """Train a decoder.

    Args:
        pictures: normalised blocks side by side `[1, h, w, 4 D]`, truths as of
            `operators.learn.things`.
        split: which are for what.
        classes: C.
        shape: of the decoder.
        schedule: how long and how fast.
        tell: told of every step.
        checkpoint: file that the training goes on from, see `train`.

    Returns:
        The head's tensors, and how training went.
    """
    read = pictures.read(split.train[0]).patches.shape[-1]
    decoder = begun(read // 4, classes, shape, seed=schedule.seed)

    def loss(weights: dict[str, Tensor], batch: ThingBatch) -> Tensor:
        proposed, *told = functional_call(decoder, weights, (batch.blocks,))
        several = [own.repeated(_PROPOSALS) for own in batch.things]
        losses = [set_loss(guess, batch.things).total for guess in told]
        return torch.stack([set_loss(proposed, several).total, *losses]).sum()

    start = {name: one.detach() for name, one in decoder.named_parameters()}
    fitted = train(
        start,
        loss,
        pictures,
        split,
        thing_batch,
        schedule=schedule,
        tell=tell,
        checkpoint=checkpoint,
    )
    return fitted.weights, fitted


def begun(width: int, classes: int, shape: DecoderShape, *, seed: int) -> Decoder:
    """A decoder of seeded weights, whose boxes begin where the patches are and which is sure of
    nothing."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        decoder = Decoder(width, classes, shape)
        for layer in decoder.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)
    with torch.no_grad():
        for last in (decoder.proposed_box.out, decoder.told_box.out):
            last.weight.zero_()
        for last in (decoder.proposed_class, decoder.told_class):
            last.bias[-1] = torch.tensor((1 - _RARELY) * classes / _RARELY).log()
    return decoder
