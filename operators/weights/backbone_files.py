"""Files of backbones beside DINOv2: DINO v1, DeiT, DINOv3 and Swin."""

from __future__ import annotations

from operators.backbones.architectures import ARCHITECTURES
from operators.weights import dinov3_files
from operators.weights.official_file import OfficialFile

_DINO_HOST = "https://dl.fbaipublicfiles.com/dino"
_DEIT_HOST = "https://dl.fbaipublicfiles.com/deit"
_SWIN_HOST = "https://github.com/SwinTransformer/storage/releases/download/v1.0.0"

# What files of DINO v1 are called (hubconf.py upstream); of DeiT's the first 8 hex of the sha256,
# which their names end in (models.py upstream).
_DINO = {
    "dino_vits16": "dino_deitsmall16_pretrain",
    "dino_vits8": "dino_deitsmall8_pretrain",
    "dino_vitb16": "dino_vitbase16_pretrain",
    "dino_vitb8": "dino_vitbase8_pretrain",
}
_DEIT = {
    "deit_tiny_patch16_224": "a1311bcf",
    "deit_tiny_distilled_patch16_224": "b40b3cf7",
    "deit_small_patch16_224": "cd65a155",
    "deit_small_distilled_patch16_224": "649709d9",
    "deit_base_patch16_224": "b5f2ef4d",
    "deit_base_distilled_patch16_224": "df68dfff",
    "deit_base_patch16_384": "8de9b5d1",
    "deit_base_distilled_patch16_384": "d0272ac0",
}


def backbone_files() -> tuple[OfficialFile, ...]:
    """Of all of them. Those of DINO v1 and DeiT are under Apache-2.0 (LICENSE upstream)."""
    return (*_swin(), *_elders(), *_dinov3())


def _dinov3() -> tuple[OfficialFile, ...]:
    return tuple(
        OfficialFile(name, "backbone", model, licence=dinov3_files.LICENCE, form=dinov3_files.FORM)
        for model, name in dinov3_files.NAMES.items()
    )


def _swin() -> tuple[OfficialFile, ...]:
    """Of the large ones upstream has ImageNet's 1000 classes after its 22k alone."""
    models = [name for name, arch in ARCHITECTURES.items() if arch.pyramid]
    return tuple(
        OfficialFile(
            f"{_SWIN_HOST}/{name}{'_22kto1k' if 'large' in name else ''}.pth",
            *("backbone", name),
            licence="MIT",
        )
        for name in models
    )


def _elders() -> tuple[OfficialFile, ...]:
    """Of DINO v1 and DeiT."""
    urls = {model: f"{_DINO_HOST}/{stem}/{stem}.pth" for model, stem in _DINO.items()}
    urls |= {model: f"{_DEIT_HOST}/{model}-{start}.pth" for model, start in _DEIT.items()}
    return tuple(OfficialFile(url, "backbone", model) for model, url in urls.items())
