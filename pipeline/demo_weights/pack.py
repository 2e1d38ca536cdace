"""`python -m pipeline.demo_weights.pack`: a backbone and its heads become the file that ships.

Files of a training and of `dinostream fit` in -> one file out, as `--weights demo` reads it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from operators.weights.demo import add_heads, read_demo, write_demo
from operators.weights.header import SHIPPED

MOST_BYTES = 13_500_000  # more has no place in a repository


def main() -> None:
    """Pack, read back, and say what is in it."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.demo_weights.pack",
        description="Put a backbone and its heads into the file that ships.",
        epilog="Example: python -m pipeline.demo_weights.pack --backbone b.safetensors heads/*",
    )
    parser.add_argument("heads", type=Path, nargs="+", help="of `dinostream fit`")
    parser.add_argument(
        "--backbone", type=Path, help="without it the heads go into the file that is there"
    )
    parser.add_argument("--out", type=Path, default=SHIPPED)
    wish = parser.parse_args()
    if wish.backbone:
        write_demo(wish.out, wish.backbone, wish.heads)
    else:
        add_heads(wish.out, wish.heads)
    size = wish.out.stat().st_size
    if size > MOST_BYTES:
        raise SystemExit(f"{wish.out} has {size} bytes, at most {MOST_BYTES} may ship")
    demo = read_demo(wish.out)
    print(f"{wish.out}: {size} bytes, heads for {', '.join(demo.heads)}, sha256 {demo.sha256}")


if __name__ == "__main__":
    main()
