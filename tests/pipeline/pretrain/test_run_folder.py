import pytest
import torch

from operators.backbones.architectures import architecture
from operators.errors import UsageError, WeightsError
from operators.pretrain.learner import HeadShape, Learner
from operators.weights.load import load_backbone
from pipeline.pretrain.run_folder import BACKBONE, HEADS, NOT_BETTER, RunFolder

MODEL = "dinov2_vitti14_6"
SHAPE = HeadShape(prototypes=8, hidden=16, bottleneck=8)


@pytest.fixture
def learner():
    own = Learner(architecture(MODEL), SHAPE, torch.Generator().manual_seed(0))
    for parameter in own.backbone.parameters():
        torch.nn.init.normal_(parameter, std=0.02)
    return own


def test_settings_are_held_to_those_it_began_with(tmp_path):
    folder = RunFolder(tmp_path)
    folder.require({"model": MODEL, "recipe": {"temperature": (0.04, 0.07), "steps": 10}})
    folder.require({"model": MODEL, "recipe": {"temperature": (0.04, 0.07), "steps": 10}})
    with pytest.raises(UsageError, match=r"began with recipe\.steps 10 \(now 11\); give"):
        folder.require({"model": MODEL, "recipe": {"temperature": (0.04, 0.07), "steps": 11}})


def test_what_is_written_loads_as_weights_and_as_a_teacher(tmp_path, learner):
    folder = RunFolder(tmp_path)
    folder.write_backbone(learner.backbone.state_dict(), BACKBONE, rendered_only=False)
    folder.write_heads(learner, SHAPE)
    loaded = load_backbone(architecture(MODEL), str(tmp_path / BACKBONE))
    for name, own in learner.backbone.state_dict().items():
        assert torch.equal(loaded.model.state_dict()[name], own)
    teacher, shape = folder.read_learner()
    assert shape == SHAPE
    for name, own in learner.state_dict().items():
        assert torch.equal(teacher.state_dict()[name], own)
    assert not any(one.requires_grad for one in teacher.parameters())


@pytest.mark.parametrize("rendered_only", [True, False])
def test_what_has_learnt_from_scenes_alone_says_so(tmp_path, learner, rendered_only):
    folder = RunFolder(tmp_path)
    tensors = learner.backbone.state_dict()
    place = folder.write_backbone(tensors, BACKBONE, rendered_only=rendered_only)
    assert load_backbone(architecture(MODEL), str(place)).rendered_only is rendered_only
    assert folder.rendered_only is rendered_only


def test_one_file_says_whether_it_is_better(tmp_path, learner):
    folder, tensors = RunFolder(tmp_path), learner.backbone.state_dict()
    folder.write_backbone(tensors, NOT_BETTER, rendered_only=False)
    folder.write_backbone(tensors, BACKBONE, rendered_only=False)
    assert [one.name for one in tmp_path.iterdir()] == [BACKBONE]


def test_a_folder_without_a_training_is_no_teacher(tmp_path, learner):
    folder = RunFolder(tmp_path)
    with pytest.raises(WeightsError, match=r"no training has ended there \(heads"):
        folder.read_learner()
    folder.write_heads(learner, SHAPE)
    with pytest.raises(WeightsError, match=r"no training has ended there \(backbone"):
        folder.read_learner()
    (tmp_path / BACKBONE).write_bytes((tmp_path / HEADS).read_bytes())
    with pytest.raises(WeightsError, match="does not fit the model"):
        folder.read_learner()
    folder.write_backbone(learner.backbone.state_dict(), BACKBONE, rendered_only=False)
    (tmp_path / HEADS).write_bytes((tmp_path / BACKBONE).read_bytes())
    with pytest.raises(WeightsError, match="not the heads of a training"):
        folder.read_learner()
