"""dino.txt's vision head (Jose et al. 2024): a backbone's last tokens in -> tokens that can be held
against texts out.

Blocks of the backbone's width with a SwiGLU, over class token, registers and patches together, and
a norm (upstream: hub/text/vision_tower.py). Knows nothing of texts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from operators.backbones.architectures import Architecture
from operators.backbones.engines.last_blocks import LastBlocks
from operators.backbones.precision import Precision
from operators.backbones.vit import Block, SwiGlu
from operators.errors import UsageError
from operators.frames import Features
from operators.weights.dinotxt import vision_head
from operators.weights.heads import Head, Layout

_NORM_EPS = 1e-5  # torch's default, which upstream keeps here; its backbones have 1e-6
_ALIGNED = 64  # the hidden width is a multiple of it; the backbones' of 8
_BLOCK = re.compile(r"block_list\.(\d+)\.")

TokensOfFrames = tuple[Tensor, Tensor]
"""Class tokens `[R, D]` and patches `[R, h, w, D]`, float32."""


class VisionHead:
    """What is computed once of a batch, however many operators read it."""

    def __init__(self, head: Head, arch: Architecture) -> None:
        """
        Args:
            head: of the kind `words`; its tensors of the vision head fit `vision_head_layout`.
            arch: the backbone's sizes.
        """
        own = {name: tensor.float() for name, tensor in vision_head(head.tensors).items()}
        self.layers = (arch.depth - 1,)
        self._sha256 = head.sha256
        norm = nn.LayerNorm(arch.width, eps=_NORM_EPS)
        norm.load_state_dict({of: own[f"ln_final.{of}"] for of in ("weight", "bias")}, assign=True)
        blocks = [_block(arch, own, number) for number in range(block_count(own))]
        self._blocks = LastBlocks(blocks, norm.requires_grad_(False))

    def load(self, device: torch.device) -> None:
        """Put the weights on a device."""
        self._blocks.load(device)

    def __call__(self, features: Features, rows: slice) -> TokensOfFrames:
        """Of some rows.

        Raises:
            UsageError: the features carry no register tokens.
        """
        count = len(features.cls[rows])  # padding counts: it is in the tokens too
        key = (self._sha256, features.infos[rows], count)  # two operators may have one file
        if key not in features.memo:
            features.memo[key] = self._tokens(features, rows)
        found: TokensOfFrames = features.memo[key]
        return found

    @torch.inference_mode()
    def _tokens(self, features: Features, rows: slice) -> TokensOfFrames:
        (block,) = self.layers
        if features.registers is None or features.norm is None:
            raise UsageError(
                "dino.txt reads register tokens, which features have in a job and not where they "
                "are kept, for fit and eval; replay it"
            )
        cls, patches = features.cls[rows].float(), features.patches[rows].float()
        registers = features.norm(features.registers[block][rows]).float()
        tokens = torch.cat((cls[:, None], registers, patches.flatten(1, 2)), dim=1)
        precision = features.precision or Precision.FLOAT32
        seen = self._blocks(tokens, precision.dtype)
        first = 1 + registers.shape[1]
        return seen[:, 0], seen[:, first:].view(patches.shape)


def vision_head_layout(arch: Architecture, blocks: int) -> Layout:
    """Names and shapes of upstream's file, for a backbone's width.

    Args:
        arch: of the backbone.
        blocks: published are 2.
    """
    width, hidden = arch.width, _hidden(arch)
    own: dict[str, tuple[int, ...]] = {
        "attn.qkv.weight": (3 * width, width),
        "attn.proj.weight": (width, width),
        "mlp.w1.weight": (hidden, width),
        "mlp.w1.bias": (hidden,),
        "mlp.w2.weight": (hidden, width),
        "mlp.w2.bias": (hidden,),
        "mlp.w3.weight": (width, hidden),
    }
    of_width = (
        *("norm1.weight", "norm1.bias", "attn.proj.bias", "ls1.gamma"),
        *("norm2.weight", "norm2.bias", "mlp.w3.bias", "ls2.gamma"),
    )
    own |= {name: (width,) for name in of_width}
    return {
        **{f"block_list.{n}.{name}": shape for n in range(blocks) for name, shape in own.items()},
        "ln_final.weight": (width,),
        "ln_final.bias": (width,),
    }


def block_count(tensors: Mapping[str, Tensor]) -> int:
    """Blocks of a vision head, by upstream's names."""
    return len({found[1] for name in tensors if (found := _BLOCK.match(name))})


def _hidden(arch: Architecture) -> int:
    return -(-(4 * arch.width * 2 // 3) // _ALIGNED) * _ALIGNED


def _block(arch: Architecture, own: Mapping[str, Tensor], number: int) -> Block:
    """One of ours: gate and value in one product, and a bias of zero where upstream has none."""
    stem, width, hidden = f"block_list.{number}.", arch.width, _hidden(arch)
    with torch.device("meta"):
        block = Block(replace(arch, ffn="swiglu"))
        assert isinstance(block.mlp, SwiGlu)
        block.mlp.w12, block.mlp.w3 = nn.Linear(width, 2 * hidden), nn.Linear(hidden, width)
    for norm in (block.norm1, block.norm2):
        norm.eps = _NORM_EPS
    tensors = {
        name.removeprefix(stem): tensor
        for name, tensor in own.items()
        if name.startswith(stem) and ".w1." not in name and ".w2." not in name
    }
    tensors["attn.qkv.bias"] = torch.zeros(3 * width)
    for of in ("weight", "bias"):
        gate, value = (own[f"{stem}mlp.{layer}.{of}"] for layer in ("w1", "w2"))
        tensors[f"mlp.w12.{of}"] = torch.cat((gate, value))
    block.load_state_dict(tensors, assign=True)
    return block.eval().requires_grad_(False)
