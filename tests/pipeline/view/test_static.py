"""The page's files: small, whole, silent to other hosts, without what its policy forbids."""

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[3] / "pipeline" / "view" / "static"
FILES = sorted(STATIC.iterdir())
SCRIPTS = [path for path in FILES if path.suffix == ".js"]
MOST_BYTES = 151 * 1024  # the last one for boxes of what is detected and tracked
MOST_LINES = 300
TYPES = {"contract.js"}  # read by whoever edits, and by no browser
IMPORT = re.compile(r'^import (?:\{([^}]*)\} from )?"([^"]+)";', re.MULTILINE)
WORKER = re.compile(r'new URL\("([^"]+)", import\.meta\.url\)')
NAMESPACE = "http://www.w3.org/2000/svg"
# What takes text for markup or code; trusted types refuse it in a browser, too.
FORBIDDEN = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(")


def name(path):
    return path.name


def imports(path):
    """Files that a module names, with what it takes from each."""
    text = path.read_text()
    found = {file: names for names, file in IMPORT.findall(text)}
    return found | dict.fromkeys(WORKER.findall(text), "")


def test_all_of_it_is_small():
    assert {path.suffix for path in FILES} == {".css", ".html", ".js", ".svg"}
    sent = [path for path in FILES if path.suffix in (".css", ".js") and path.name not in TYPES]
    assert sum(path.stat().st_size for path in sent) <= MOST_BYTES
    lengths = {path.name: len(path.read_text().splitlines()) for path in SCRIPTS}
    assert {file: count for file, count in lengths.items() if count > MOST_LINES} == {}


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_a_module_says_what_it_is_and_imports_what_is_there(path):
    assert path.read_text().startswith("/**")
    for file, names in imports(path).items():
        text = (path.parent / file).read_text()
        taken = [one.strip() for one in names.split(",") if one.strip()]
        absent = [
            one
            for one in taken
            if not re.search(
                rf"^export (?:async )?(?:function|class|const) {one}\b", text, re.MULTILINE
            )
        ]
        assert (file, absent) == (file, [])


def test_every_module_is_reached_from_the_page():
    reached, left = set(), ["app.js"]
    while left:
        file = left.pop()
        reached.add(file)
        left += [Path(one).name for one in imports(STATIC / file) if Path(one).name not in reached]
    assert {path.name for path in SCRIPTS} - reached == TYPES


@pytest.mark.parametrize("path", FILES, ids=name)
def test_nothing_leads_to_another_host(path):
    text = path.read_text().replace(NAMESPACE, "")
    assert re.findall(r"https?://|wss?://|@import|url\(", text) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_text_never_becomes_markup_or_code(path):
    text = path.read_text()
    assert [word for word in FORBIDDEN if word in text] == []
    assert re.findall(r"""["']style["']""", text) == []


def test_the_page_has_neither_styles_nor_scripts_in_it():
    text = (STATIC / "index.html").read_text()
    assert re.findall(r"<style|style=|\son\w+=|<script(?![^>]*\ssrc=)", text) == []
    files = re.findall(r'(?:src|href)="/static/([^/"]+)/([^"]+)"', text)
    assert {place for place, _ in files} == {"{{version}}"}
    assert [file for _, file in files if not (STATIC / file).exists()] == []
    assert 'lang="en"' in text
