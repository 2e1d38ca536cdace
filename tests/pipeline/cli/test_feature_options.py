"""Options of kept features: what goes together, and what does not."""

import pytest

from pipeline.cli import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.mp4", "--keep-features", "kept"], "--keep-features DIR and --basis FILE go together"),
        (["a.mp4", "--basis", "basis.safetensors"], "go together"),
        (["a.mp4", "--from", "features:kept"], "leave SOURCE out"),
        (["--from", "kept"], "--from takes features:DIR, got 'kept'"),
        (["--from", "features:nowhere"], "no features are kept there"),
    ],
)
def test_what_does_not_go_together_is_bad_usage(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["replay", *arguments, "--weights", "demo", "--runtime", "inline"]) == 2
    assert said in capsys.readouterr().err


def test_what_is_kept_is_in_the_configuration(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = ["--keep-features", "kept", "--basis", "basis.safetensors", "--print-config"]
    assert main(["replay", "synthetic:room?seed=1", *own, "--weights", "demo"]) == 0
    printed = "".join(capsys.readouterr().out.split())  # a long path has a line of its own
    assert f"dir:{tmp_path}/kept" in printed
