"""The loop: a training that was stopped goes on as if it never had been, and it learns."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from operators.backbones.architectures import architecture
from operators.supervised.agreement import Agreement, AgreementPlan
from operators.supervised.clips import Clips, Turned
from operators.supervised.loop import Plan, Training
from operators.supervised.positions import smoothed
from operators.supervised.student import Student

ARCH = replace(architecture("dinov2_vitti14"), depth=1)
TURNED = Turned(mirrored=torch.tensor([0, 1]), reversed=torch.tensor([0, 1]))
PLAN = Plan(steps=6, warmup=2, seed=3)


def batches(draw: torch.Generator) -> Clips:
    """Dark clips are near and of class 0, bright ones far and of class 1."""
    bright = torch.randint(0, 2, (4,), generator=draw)
    pixels = (40 + 160 * bright).to(torch.uint8).view(4, 1, 1, 1, 1).expand(4, 2, 14, 14, 3)
    truth = bright.view(4, 1, 1, 1).expand(4, 2, 4, 4)
    return Clips(pixels.contiguous(), 1.0 + 9 * truth.float(), truth.contiguous(), bright)


def training(plan: Plan = PLAN, agree: AgreementPlan | None = None) -> Training:
    torch.manual_seed(0)
    student = Student(ARCH, classes=2, actions=2, frames=2)
    agreement = Agreement(ARCH.width, agree) if agree else None
    return Training(student, batches, TURNED, plan, agreement)


def weights(own: Training) -> list[torch.Tensor]:
    remembered = own.agreement.buffers() if own.agreement else ()
    return [one.detach().clone() for one in (*own.student.parameters(), *remembered)]


@pytest.mark.slow
@pytest.mark.parametrize("agree", [None, AgreementPlan(remembered=20)])
def test_a_training_that_was_stopped_goes_on_as_if_it_never_had_been(tmp_path, agree):
    whole = training(agree=agree)
    for _ in whole.run():
        pass

    stopped = training(agree=agree)
    for _ in stopped.run():
        if stopped.step == 3:
            stopped.save(tmp_path / "checkpoint.pt")
            break
    resumed = training(agree=agree)
    resumed.resume(tmp_path / "checkpoint.pt")
    for _ in resumed.run():
        pass

    assert resumed.step == 6
    for got, want in zip(weights(resumed), weights(whole), strict=True):
        assert torch.equal(got, want)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_backbone_that_is_trained_waits_for_new_heads():
    own = training(Plan(steps=4, warmup=1, heads_first=2))
    before = {name: one.clone() for name, one in own.student.state_dict().items()}
    changed = []
    for _ in own.run():
        after = own.student.state_dict()
        changed.append({name for name in after if not torch.equal(after[name], before[name])})

    blocks = "backbone.blocks.0.attn.qkv.weight"
    assert [blocks in names for names in changed] == [False, False, True, True]
    assert all("depth.weight" in names for names in changed)
    assert own.plan.learning_rate_at(0) == own.plan.learning_rate_at(2) == own.plan.learning_rate


def test_positions_stay_smooth():
    own = training(Plan(steps=3, warmup=1, learning_rate=1e-2))
    for _ in own.run():
        pass
    table = own.student.backbone.pos_embed.detach()

    torch.testing.assert_close(smoothed(table, ARCH), table)


@pytest.mark.slow
def test_a_training_starts_from_what_fits_of_another(tmp_path):
    own, other = training(), training()
    for _ in other.run():
        pass
    before = other.student.state_dict()
    before["depth.weight"] = torch.zeros(1, 1)
    own.start_from(before | {"strange": torch.zeros(1)})

    after = own.student.state_dict()
    assert torch.equal(after["backbone.norm.weight"], before["backbone.norm.weight"])
    assert after["depth.weight"].shape != (1, 1)


@pytest.mark.slow
def test_it_learns():
    own = training(Plan(steps=60, warmup=5, learning_rate=3e-3))
    told = list(own.run())
    held_out = batches(torch.Generator().manual_seed(99))

    assert sum(told[-1].values()) < 0.5 * sum(told[0].values())
    scores = own.scores(held_out)
    assert scores["cells_right"] == scores["actions_right"] == 1.0
    assert scores["depth_abs_rel"] < 0.4


def test_truth_and_places_are_taught_at_once():
    plain, both = training(), training(agree=AgreementPlan(remembered=20))
    told = [next(own.run()) for own in (plain, both)]

    assert told[1].keys() - told[0].keys() == {"agree", "spread"}
    assert all(told[1][name] == told[0][name] for name in told[0])
    tokens = [own.student.backbone.cls_token.detach() for own in (plain, both)]
    assert not torch.equal(*tokens)


def test_the_learning_rate_rises_and_falls():
    plan = Plan(steps=100, warmup=10, learning_rate=1.0)

    assert plan.learning_rate_at(0) == pytest.approx(0.1)
    assert plan.learning_rate_at(10) == pytest.approx(1.0)
    assert plan.learning_rate_at(99) < 0.02
    assert all(plan.learning_rate_at(s) > plan.learning_rate_at(s + 1) for s in range(10, 99))


def test_matrices_decay_and_tokens_do_not():
    own = training()
    groups = own._optimiser.param_groups
    decayed = {id(parameter) for parameter in groups[0]["params"]}
    names = {name for name, p in own.student.named_parameters() if id(p) in decayed}

    assert "backbone.blocks.0.attn.qkv.weight" in names
    assert not names & {"backbone.pos_embed", "backbone.cls_token", "backbone.norm.weight"}
