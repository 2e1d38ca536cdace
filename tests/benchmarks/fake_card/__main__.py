"""In the place of Python in `benchmarks/gpu.sh`: its commands, on a card that is not there.

    python -m tests.benchmarks.fake_card -m kernels.bench --out FILE

In: what Python would be given. Out: what it would do, smaller.
"""

import runpy
import sys
from collections.abc import Sequence

import pytest

from tests.benchmarks.fake_card import card, smaller


def main(arguments: Sequence[str]) -> None:
    """Do what Python would: `-m MODULE ...`, `-c CODE` or `SCRIPT ...`."""
    if arguments[0] not in ("-m", "-c"):
        sys.argv = list(arguments)
        runpy.run_path(arguments[0], run_name="__main__")
        return
    kind, what, *rest = arguments
    sys.argv = [what, *rest]
    card.install()
    if kind == "-c":
        exec(what, {"__name__": "__main__"})
    elif what == "pytest":
        sys.exit(pytest.main(rest))
    else:
        sys.exit(smaller.made(what).main())


if __name__ == "__main__":
    main(sys.argv[1:])
