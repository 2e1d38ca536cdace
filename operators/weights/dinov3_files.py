"""What Meta's files of DINOv3 are called, and where a person asks for them. Facts alone."""

LICENCE = "LicenseRef-DINOv3"  # SPDX lists it not; LICENSE.md upstream
FORM = "https://ai.meta.com/resources/models-and-libraries/dinov3-downloads/"

_WEB, _SATELLITES = "pretrain_lvd1689m", "pretrain_sat493m"

# By architecture, as upstream's hub code (dinov3/hub/backbones.py) has them; a name ends in the
# first 8 hex of its file's sha256.
NAMES = {
    "dinov3_vits16": f"dinov3_vits16_{_WEB}-08c60483.pth",
    "dinov3_vits16plus": f"dinov3_vits16plus_{_WEB}-4057cbaa.pth",
    "dinov3_vitb16": f"dinov3_vitb16_{_WEB}-73cec8be.pth",
    "dinov3_vitl16": f"dinov3_vitl16_{_WEB}-8aa4cbdd.pth",
    "dinov3_vitl16plus": f"dinov3_vitl16plus_{_WEB}-46503df0.pth",
    "dinov3_vith16plus": f"dinov3_vith16plus_{_WEB}-7c1da9a5.pth",
    "dinov3_vit7b16": f"dinov3_vit7b16_{_WEB}-a955f4ea.pth",
    "dinov3_vitl16_sat493m": f"dinov3_vitl16_{_SATELLITES}-eadcf0ff.pth",
    "dinov3_vit7b16_sat493m": f"dinov3_vit7b16_{_SATELLITES}-a6675841.pth",
}
