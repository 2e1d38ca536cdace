"""Models of others of a few thousand numbers, seeded, in folders as transformers saves them.

Published files cannot be had in a test; names, layout and arithmetic are theirs.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

SAM_SIDE = 64
WORDS = ("cat", "red", "car", "dog")
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?")


def seeded(model: Any, spread: float = 0.3) -> Any:
    """The same numbers for every tensor that is kept, on any machine; gains of norms are about 1,
    so that pixels tell through all layers."""
    import torch

    draw = torch.Generator().manual_seed(5)
    drawn = set()
    with torch.no_grad():
        for name, one in model.state_dict(keep_vars=True).items():
            if one.is_floating_point() and one.data_ptr() not in drawn:  # tied ones once
                gain = float(one.ndim == 1 and name.endswith("weight"))
                one.copy_(torch.randn(one.shape, generator=draw) * spread + gain)
                drawn.add(one.data_ptr())
    return model.eval().requires_grad_(False)


def write_sam(folder: Path) -> Any:
    """A SAM that sees 64 x 64 pixels in patches of 8."""
    from transformers import SamConfig, SamModel

    sizes = {"image_size": SAM_SIDE, "patch_size": 8}
    vision = {"hidden_size": 32, "output_channels": 16, "num_hidden_layers": 2, "mlp_dim": 48}
    attention = {"num_attention_heads": 2, "window_size": 3, "global_attn_indexes": [1]}
    decoder = {"hidden_size": 16, "mlp_dim": 32, "num_attention_heads": 2}
    config = SamConfig(
        vision_config={**sizes, **vision, **attention, "num_pos_feats": 8},
        prompt_encoder_config={**sizes, "hidden_size": 16, "mask_input_channels": 4},
        mask_decoder_config={**decoder, "iou_head_hidden_dim": 16},
    )
    model = seeded(SamModel(config), spread=0.7)
    model.save_pretrained(folder)
    return model


def write_grounding_dino(folder: Path, *, short_side: int = 80, long_side: int = 140) -> Any:
    """A Grounding DINO of two levels that sees short sides of 80 pixels, with its tokenizer."""
    import json

    from transformers import (
        BertTokenizer,
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
    )

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {word: id_ for id_, word in enumerate((*_SPECIAL, *WORDS))}
    BertTokenizer(vocab=vocabulary).save_pretrained(folder)
    swin = {"model_type": "swin", "image_size": 32, "embed_dim": 8, "depths": [1, 1, 1, 1]}
    swin |= {"num_heads": [1, 1, 2, 2], "window_size": 2, "out_indices": [2, 3, 4]}
    bert = {"model_type": "bert", "hidden_size": 16, "num_hidden_layers": 1, "vocab_size": 16}
    bert |= {"num_attention_heads": 2, "intermediate_size": 24, "max_position_embeddings": 32}
    config = GroundingDinoConfig(
        backbone_config=swin,
        text_config=bert,
        num_queries=12,
        d_model=32,  # what its group norms take at least
        max_text_len=16,
        **dict.fromkeys(("encoder_layers", "decoder_layers"), 2),
        **dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim"), 24),
        **dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 2),
    )
    model = seeded(GroundingDinoForObjectDetection(config))
    model.save_pretrained(folder)
    size = {"shortest_edge": short_side, "longest_edge": long_side}
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": size}))
    return model
