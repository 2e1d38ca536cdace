import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from operators.backbones.architectures import architecture
from operators.errors import UsageError, WeightsError
from operators.pretrain.crops import CropRecipe
from operators.pretrain.learner import HeadShape
from operators.pretrain.recipe import Recipe
from operators.weights.load import load_backbone
from pipeline.errors import SinkError, SourceError
from pipeline.pretrain.crew import Crew
from pipeline.pretrain.lesson import _require_alike
from pipeline.pretrain.plan import Plan, Teacher
from pipeline.pretrain.rules import Rules
from pipeline.pretrain.run import pretrain

pytestmark = pytest.mark.slow
MODEL = "dinov2_vitti14_6"
CROWDED = Rules(keep_copies=True, every_s=0.4, apart_s=1e6)
SCENE = ("synthetic:world?seed=1&seconds=2&fps=5&size=64x48",)


def untold(share, so_far):
    pass


@pytest.fixture(scope="module")
def plan(small_picture, tmp_path_factory):
    place = tmp_path_factory.mktemp("photos")
    for number in range(10):
        small_picture(place / f"{number:02d}.png", "noise", number)
    return Plan(
        (str(place),),
        MODEL,
        Recipe(steps=3, batch=4),
        shape=HeadShape(prototypes=16, hidden=16, bottleneck=8),
        crops=CropRecipe(global_px=28, local_px=14, local_count=1),
        held_out=0.2,
        rules=Rules(keep_copies=True),
    )


@pytest.fixture(scope="module")
def done(plan, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "run"
    return out, pretrain(plan, out, tell=untold)


def tensors(path, model=MODEL):
    return load_backbone(architecture(model), str(path)).model.state_dict()


def test_it_ends_with_weights_that_load_a_curve_and_a_report(done):
    out, trained = done
    assert trained.kept
    assert trained.weights == out / "backbone.safetensors"
    assert all(torch.isfinite(one).all() for one in tensors(trained.weights).values())
    report = json.loads((out / "report.json").read_text())
    assert report["gathered"]["pictures"] == 10
    assert [one["what"] for one in report["verdicts"]] == ["two crops of each picture"]
    (line,) = map(json.loads, (out / "curve.jsonl").read_text().splitlines())
    assert line["step"] == 3
    assert (out / "curve.svg").read_text().startswith("<svg")


def test_the_same_command_again_finds_it_done_and_another_one_is_refused(done, plan):
    out, trained = done
    before = tensors(trained.weights)
    again = pretrain(plan, out, tell=untold)
    assert again.verdicts == trained.verdicts
    assert all(torch.equal(one, before[name]) for name, one in tensors(again.weights).items())
    other = replace(plan, recipe=replace(plan.recipe, rate=1e-3))
    with pytest.raises(UsageError, match="this training began with recipe"):
        pretrain(other, out, tell=untold)


def test_one_that_was_stopped_ends_as_if_it_never_had_been(done, plan, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.pretrain.course.SAVE_S", 0.0)
    monkeypatch.setattr("pipeline.pretrain.course.MOST_SAVING", 0)
    heard = []

    def stop(share, so_far):
        heard.append(so_far)
        if "step 2 of 3" in so_far:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(plan, tmp_path / "run", tell=stop)
    again = pretrain(plan, tmp_path / "run", tell=lambda _, so_far: heard.append(so_far))
    assert "step 2 of 3" in heard  # where it went on
    wanted = tensors(done[1].weights)
    assert all(torch.equal(one, wanted[name]) for name, one in tensors(again.weights).items())
    lines = (tmp_path / "run" / "curve.jsonl").read_text()
    assert len(lines.splitlines()) == 1


def test_threads_change_no_crop(done, plan, tmp_path):
    again = pretrain(plan, tmp_path / "run", tell=untold, crew=Crew(threads=3))
    wanted = tensors(done[1].weights)
    assert all(torch.equal(one, wanted[name]) for name, one in tensors(again.weights).items())


def test_a_teacher_sees_what_its_student_sees():
    student, teacher = architecture("eomt_small_640"), architecture("dinov3_vitl16_sat493m")
    with pytest.raises(UsageError, match="normalises pixels by sat493m, eomt_small_640 by imagen"):
        _require_alike(student, teacher)
    _require_alike(student, architecture("dinov3_vitl16"))


def test_a_training_of_another_architecture_cannot_be_gone_on_with(done, plan, tmp_path):
    other = replace(plan, weights=str(done[0]), model="dinov2_vitti14")
    with pytest.raises(UsageError, match="give --model dinov2_vitti14_6"):
        pretrain(other, tmp_path / "run", tell=untold)


def test_two_processes_train_what_one_does(plan, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.pretrain.run.training_dtype", lambda _: torch.float32)
    alike = replace(plan, recipe=replace(plan.recipe, koleo_weight=0.0))
    heard = []
    one = pretrain(alike, tmp_path / "one", tell=untold)
    two = pretrain(
        alike, tmp_path / "two", tell=lambda _, so_far: heard.append(so_far), crew=Crew(2)
    )
    wanted = tensors(one.weights)
    for name, own in tensors(two.weights).items():
        torch.testing.assert_close(own, wanted[name], rtol=0, atol=1e-6)
    assert any(so_far.startswith("step 3 of 3, loss") for so_far in heard)
    lines = [(tmp_path / run / "curve.jsonl").read_text().splitlines() for run in ("one", "two")]
    assert [len(own) for own in lines] == [1, 1]
    (mine, theirs) = (json.loads(own[0]) for own in lines)
    assert mine["ibot"] == pytest.approx(theirs["ibot"], abs=2e-6)


def test_pictures_that_cannot_be_parted_are_refused_before_anything_starts(plan, tmp_path):
    with pytest.raises(UsageError, match="4 pictures has no equal parts of 2 or more for 3"):
        pretrain(plan, tmp_path / "run", tell=untold, crew=Crew(3))


def test_what_goes_on_is_kept_only_if_it_is_better(done, plan, tmp_path):
    # Three steps at no rate worth the name: nothing is gained.
    more = replace(
        plan, weights=str(done[1].weights), recipe=replace(plan.recipe, rate=1e-12, momentum=0.9)
    )
    trained = pretrain(more, tmp_path / "run", tell=untold)
    assert not trained.kept
    assert trained.weights.name == "not-better.safetensors"
    assert not (tmp_path / "run" / "backbone.safetensors").exists()
    assert json.loads((tmp_path / "run" / "report.json").read_text())["kept"] is False


def test_distilled_from_a_training_and_from_weights(done, plan, tmp_path):
    from_run = replace(plan, teacher=Teacher(str(done[0]), ""))
    first = pretrain(from_run, tmp_path / "one", tell=untold)
    (line,) = map(json.loads, (tmp_path / "one" / "curve.jsonl").read_text().splitlines())
    assert "ibot" in line
    assert (tmp_path / "one" / "heads.safetensors").exists()
    from_file = replace(plan, teacher=Teacher(str(first.weights), MODEL))
    pretrain(from_file, tmp_path / "two", tell=untold)
    (line,) = map(json.loads, (tmp_path / "two" / "curve.jsonl").read_text().splitlines())
    assert {"class", "patches", "effective_rank", "alarms"} <= set(line)
    assert "ibot" not in line
    assert not (tmp_path / "two" / "heads.safetensors").exists()


def test_a_training_goes_on_at_a_larger_size_with_its_heads_and_an_anchor(done, plan, tmp_path):
    larger = replace(
        plan,
        weights=str(done[0]),
        crops=CropRecipe(global_px=42, local_px=14, local_count=1),
        recipe=replace(plan.recipe, gram_weight=1.0, steps=2),
    )
    trained = pretrain(larger, tmp_path / "run", tell=untold)
    assert trained.weights.exists()
    (line,) = map(json.loads, (tmp_path / "run" / "curve.jsonl").read_text().splitlines())
    assert "gram" in line
    # At a rate of nothing heads stay those of the training that it goes on with.
    still = replace(larger, recipe=replace(larger.recipe, rate=1e-12, weight_decay=(0.0, 0.0)))
    pretrain(still, tmp_path / "still", tell=untold)
    before, after = (load_file(one / "heads.safetensors") for one in (done[0], tmp_path / "still"))
    for name, own in before.items():
        torch.testing.assert_close(after[name], own, atol=1e-6, rtol=1e-5)


def test_labelled_pictures_judge_too(plan, small_picture, tmp_path):
    for number in range(6):
        small_picture(tmp_path / f"judge/{'ab'[number % 2]}/{number}.png", "noise", number)
    judged = replace(plan, judged=tmp_path / "judge")
    trained = pretrain(judged, tmp_path / "run", tell=untold)
    assert trained.verdicts[-1].what == f"neighbours in {tmp_path / 'judge'}"


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (
            {"crops": CropRecipe(global_px=30, local_px=14)},
            UsageError,
            "size 30.*28 or 42",
        ),
        ({"recipe": Recipe(steps=1, batch=2, gram_weight=1.0)}, UsageError, "gram .* --weights"),
        (
            {"recipe": Recipe(steps=1, batch=2, gram_weight=1.0), "teacher": Teacher("demo", "x")},
            UsageError,
            "--gram and --teacher",
        ),
        ({"judged": Path("nowhere")}, UsageError, "no such folder"),
        ({"rules": CROWDED, "sources": SCENE}, UsageError, "--apart"),
        ({"model": "dinov2_x"}, UsageError, "unknown model"),
        ({"weights": "gone.pth"}, WeightsError, "no such weights file"),
        ({"teacher": Teacher("gone.pth", MODEL)}, WeightsError, "no such weights file"),
        ({"teacher": Teacher("random", "eomt_small_640")}, UsageError, "patches of 14 px"),
        ({"teacher": Teacher("random", "dinov3_vits16")}, UsageError, "patches of 14 px"),
        # Whatever their crops are: who mends those first is told of it all the same.
        ({"model": "dinov3_vits16"}, UsageError, "dinov3_vits16 is not trained here: its position"),
        ({"model": "swin_tiny_patch4_window7_224"}, UsageError, "pretraining wants blocks of one"),
    ],
)
def test_what_cannot_be_trained_is_refused_by_name(plan, tmp_path, change, error, said):
    with pytest.raises(error, match=said):
        pretrain(replace(plan, **change), tmp_path / "run", tell=untold)
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


def test_a_corpus_of_fewer_pictures_than_a_batch_has_the_rate_of_what_it_has(plan, tmp_path):
    pretrain(replace(plan, recipe=Recipe(steps=1, batch=64)), tmp_path / "run", tell=untold)
    settings = json.loads((tmp_path / "run" / "settings.json").read_text())
    assert settings["recipe"]["batch"] == 8  # two of ten are held out


def test_what_a_killed_one_left_goes_and_alarms_stay(done, plan):
    out, _ = done
    (out / ".checkpoint.pt.7.part").write_bytes(b"half")
    lines = (out / "curve.jsonl").read_text()
    (out / "curve.jsonl").write_text(lines.replace('"alarms": []', '"alarms": ["narrow"]'))
    again = pretrain(plan, out, tell=untold)
    (out / "curve.jsonl").write_text(lines)
    assert not (out / ".checkpoint.pt.7.part").exists()
    if '"alarms": []' in lines:
        assert again.alarms == ("narrow",)
    else:
        assert list(again.alarms) == json.loads(lines)["alarms"]


def test_a_damaged_checkpoint_and_damaged_settings_are_named(done, plan, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(done[0], out)
    data = (out / "checkpoint.pt").read_bytes()
    (out / "checkpoint.pt").write_bytes(data[: len(data) // 2])
    with pytest.raises(WeightsError, match=r"checkpoint.pt: damaged.*begins at step 0"):
        pretrain(plan, out, tell=untold)
    (out / "settings.json").write_text("{")
    with pytest.raises(UsageError, match=r"settings.json is damaged"):
        pretrain(plan, out, tell=untold)


def test_a_full_disk_is_said_in_one_line_and_leaves_no_half_file(plan, tmp_path, monkeypatch):
    def full(state, file):
        file.write(b"half")
        raise RuntimeError("PytorchStreamWriter failed writing file")

    monkeypatch.setattr("torch.save", full)
    with pytest.raises(SinkError, match=r"cannot write .*checkpoint.pt"):
        pretrain(plan, tmp_path / "run", tell=untold)
    assert [one.name for one in (tmp_path / "run").glob("*.pt*")] == []
    assert [one.name for one in (tmp_path / "run").glob(".*.part")] == []


def test_a_judged_picture_that_is_none_is_refused_before_a_step(plan, small_picture, tmp_path):
    for number in range(4):
        small_picture(tmp_path / f"judge/{'ab'[number % 2]}/{number}.png", "noise", number)
    (tmp_path / "judge/a/0.png").write_bytes(b"no picture")
    with pytest.raises(SourceError, match=r"0\.png"):
        pretrain(replace(plan, judged=tmp_path / "judge"), tmp_path / "run", tell=untold)
    assert not (tmp_path / "run" / "checkpoint.pt").exists()
