"""Keep what this release writes: `python -m tests.pipeline.golden.keep`, once a release."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.pipeline.golden.corpus import FOLDER, made_today, release, schemas_today, written
from tests.pipeline.golden.reading import read


def main() -> None:
    target = FOLDER / release()
    if target.exists():
        sys.exit(f"{target} is there: what was released stays as it was. Is the version a new one?")
    with TemporaryDirectory() as folder:
        messages = made_today(Path(folder))
        results = read(messages, Path(folder))
    target.mkdir()
    _write(target / "records.jsonl", map(written, messages))
    _write(target / "read.jsonl", (json.dumps(one, sort_keys=True) for one in results))
    _write(
        target / "schemas.jsonl",
        (json.dumps([name, schema]) for name, schema in schemas_today().items()),
    )
    print(f"{target}: {len(messages)} records")


def _write(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main()
