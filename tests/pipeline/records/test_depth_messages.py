"""Depth of every kind as messages: the schemas hold for metres and for relative disparity alike."""

from __future__ import annotations

from dataclasses import replace

import jsonschema
import numpy as np
import pytest
import torch

from operators.backbones.architectures import ARCHITECTURES
from operators.backbones.backbone import Backbone
from operators.depth.dpt_layouts import depth_anything_dpt, file_shapes
from operators.depth.relative import RelativeDepth
from operators.frames import FrameBatch
from operators.weights.heads import Head
from operators.weights.load import load_backbone
from pipeline.records.message import Publisher

ARCH = ARCHITECTURES["dinov2_vits14"]


@pytest.fixture(scope="module")
def depth():
    shapes = file_shapes(depth_anything_dpt(ARCH))
    flat = {name: torch.full(shape, 0.01) for name, shape in shapes.items()}
    return RelativeDepth(Head("depth", "flat", flat, "a" * 64), ARCH, map_scale=4)


@pytest.mark.slow
def test_relative_depth_is_as_described(depth, build, described):
    backbone = Backbone(load_backbone(ARCH, "random"), blocks=depth.layers, batch_size=1)
    info = build.info(1)
    pixels = np.full((1, 28, 28, 3), 99, np.uint8)
    results = depth(backbone(FrameBatch((info,), pixels)))
    backbone.close()

    publisher = Publisher("cam1", "feedfacecafe", build.model)
    messages = [publisher.record(result, build.variant, depth) for result in results]

    for message in messages:
        described(message)
        assert message.headers["ce_depthkind"] == "relativedisparity"
        metric = dict(message.headers) | {"ce_depthkind": "metric"}
        with pytest.raises(jsonschema.ValidationError, match="ce_depthdomain"):
            described(replace(message, headers=metric))
    assert b'"unit":null' in messages[1].value
