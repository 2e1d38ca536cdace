"""The pages: tables can be read, links lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
GLOSSARY = ROOT / "docs" / "glossary.md"
LONGEST_CELL = 200
CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)#:]+?)(#[^)]*)?\)")


def name(page):
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_tables_cells_are_short(page):
    rows = re.findall(r"^\|.*\|$", CODE.sub("", page.read_text()), re.MULTILINE)
    cells = [cell.strip() for row in rows for cell in re.split(r"(?<!\\)\|", row)]
    assert [cell for cell in cells if len(cell) >= LONGEST_CELL] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_to_what_is_there(page):
    targets = [found[0] for found in LINK.findall(CODE.sub("", page.read_text()))]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_glossary_is_in_order_and_its_files_are_there():
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| (.+) \|$", GLOSSARY.read_text(), re.MULTILINE)
    words = [word for word, _ in rows]
    assert words == sorted(words)
    named = [
        path for _, text in rows for path in re.findall(r"`((?:operators|pipeline)/[^`]+)`", text)
    ]
    assert [path for path in named if not (ROOT / path).exists()] == []
    assert len(rows) > 20


@pytest.mark.parametrize("page", ["adding-a-backbone.md", "adding-a-sink.md"])
def test_tests_and_files_that_a_page_names_are_there(page):
    text = (ROOT / "docs" / page).read_text()
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    named = [name for name in re.findall(r"`(test_\w+)`", text) if f"def {name}" not in tests]
    paths = re.findall(r"`((?:docs|operators|pipeline|tests)/[\w/.]+)`", text)
    assert named + [path for path in paths if not (ROOT / path).exists()] == []
