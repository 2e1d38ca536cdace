"""The library that we compare with gets our weights, and may be absent."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from operators.backbones.architectures import architecture
from operators.backbones.random_weights import random_tensors
from operators.bench.peer_model import to_hugging_face
from operators.weights.huggingface import to_upstream


def test_the_peer_gets_exactly_our_weights():
    tensors = random_tensors(architecture("dinov2_vitti14"), seed=3)
    back = to_upstream(to_hugging_face(tensors))
    assert back.keys() == tensors.keys()
    assert all(torch.equal(back[name], tensors[name]) for name in tensors)


@pytest.mark.slow
def test_without_the_peer_there_is_a_way_to_get_it(tmp_path):
    script = (
        "import sys; sys.modules['transformers'] = None\n"
        "from pipeline.cli import main; sys.exit(main(['bench', 'replay', '--rounds', '1']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 2
    assert "pip install 'transformers>=5'" in done.stderr
    assert done.stdout == ""
