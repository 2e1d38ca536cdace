"""Reports of benchmarks as bars: those that are kept here, and broken ones."""

import json
from pathlib import Path
from statistics import median

import pytest

from operators.errors import UsageError
from pipeline.plot.results import results_sheet

ROOT = Path(__file__).parents[3]
RESULTS = sorted((ROOT / "benchmarks" / "results").glob("[!d]*.json"))  # delivery is no report
BACKBONE = ROOT / "benchmarks" / "results" / "backbone-cpu-2026-11-23.json"

ORIGIN = '"benchmark": "records", "date": "2026", "commit": "a"'
NO_NAME = '{"name": 7, "unit": "s", "values": [1], "goal": null}'
NO_NUMBER = '{"name": "a", "unit": "s", "values": [NaN], "goal": null}'


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_every_kept_report_is_drawn_with_its_day(shown, path):
    seen = shown(results_sheet(path))
    report = json.loads(path.read_text())
    assert seen.title == f"dinostream bench {report['benchmark']}"
    assert any(text.startswith(report["date"][:10]) for text in seen.texts)
    assert seen.areas


def test_the_picture_of_the_docs_is_what_is_drawn_of_that_report():
    picture = ROOT / "docs" / "pictures" / f"{BACKBONE.stem}.svg"
    assert picture.read_text() == results_sheet(BACKBONE)


def test_bars_are_medians_beside_each_other(shown):
    seen = shown(results_sheet(BACKBONE))
    first, _ = json.loads(BACKBONE.read_text())["tasks"]
    medians = {name: median(seconds) for name, seconds in first["seconds"].items()}
    widths = {name: seen.widths(name)[0] for name in medians}
    (scale,) = {round(widths[name] / medians[name], -1) for name in medians}
    assert scale > 100
    assert f"{medians['ours, torch bfloat16'] * 1e3:.4g} ms" in seen.texts


def test_a_goal_says_in_words_whether_it_is_met(shown):
    seen = shown(results_sheet(BACKBONE))
    goals = [text for text in seen.texts if "goal: at least" in text]
    report = json.loads(BACKBONE.read_text())
    met = [one["met"] for task in report["tasks"] for one in task["ratios"] if one["goal"]]
    assert ["NOT MET" not in text for text in goals] == met
    assert False in met


def test_kernels_on_a_card(shown, tmp_path):
    spread = {"p10": 9.0, "median": 10.0, "p90": 12.0}
    row = {"workload": "4x257", "dtype": "bfloat16", "us": {"triton": spread, "sdpa": spread}}
    origin = {"date": "2026-12-01T00:00:00", "commit": "abc", "gpu": "a card"}
    path = tmp_path / "k.json"
    path.write_text(json.dumps({"benchmark": "kernels", "origin": origin, "rows": [row]}))
    seen = shown(results_sheet(path))
    assert seen.texts.count("10 us") == 2
    assert "2026-12-01, commit abc, a card." in seen.texts


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        ("{", "it is no JSON; a sink is sqlite:PATH"),
        ("[]", "its `benchmark` is None"),
        ('{"benchmark": "speed"}', "'speed'; there are: replay, backbone"),
        ('{"benchmark": ["replay"]}', "there are: replay"),
        ('{"benchmark": "replay"}', "the report is broken: 'shapes' is missing"),
        (f'{{"benchmark": "records", "figures": [{NO_NUMBER}]}}', "broken: ValueError: a: "),
        (f'{{{ORIGIN}, "figures": [{NO_NAME}]}}', "the report is broken: TypeError"),
        ('{"benchmark": "kernels", "date": "2026", "commit": "a"}', "has no figures"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path, content, said):
    path = tmp_path / "results.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match=said) as refused:
        results_sheet(path)
    assert str(path) in str(refused.value)
