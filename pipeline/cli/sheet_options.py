"""Options of what chooses frames and can draw them: a sheet of pictures, and where those are."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from PIL import Image

    from pipeline.search.episode import Episode
    from pipeline.search.pictured import Gallery, Shown
    from pipeline.search.sink_table import SinkTable
    from pipeline.view.footage import Footage

Callback = TypeVar("Callback", bound=Callable[..., Any])

FILE = click.Path(path_type=Path, dir_okay=False)


def sheet_options(function: Callback) -> Callback:
    """The sheet, and footage for its pictures."""
    sheet = click.option("--sheet", type=FILE, metavar="FILE.png", show_default="none",
                         help="A picture of each.")  # fmt: skip
    media = click.option("--media", metavar="SOURCE", multiple=True, show_default="none",
                         help="Footage that the records are of, for those pictures.")  # fmt: skip
    return sheet(media(function))


def require_png(path: Path | None, option: str = "--sheet") -> None:
    """See that a file can be a picture, before any work for it.

    Raises:
        click.UsageError: its name ends in something else.
        UsageError: it cannot be written.
    """
    if path is None:
        return
    if path.suffix.lower() != ".png":
        raise click.UsageError(f"{option} {path}: its name has to end in .png")
    require_writable(path)


def require_writable(path: Path) -> None:
    """See that a file can be put into its folder, before any work for it.

    Raises:
        UsageError: it cannot.
    """
    from operators.errors import UsageError

    try:
        with tempfile.TemporaryFile(dir=path.parent):
            return
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None


@contextmanager
def opened_gallery(within: SinkTable, footage: Footage, shown: Shown) -> Iterator[Gallery]:
    """Pictures of a sink's frames; says how far it is, and why there may be fewer.

    Args:
        within: of the sink.
        footage: that its records are of.
        shown: what will be asked of it.
    """
    from pipeline.cli.countdown import countdown
    from pipeline.search.pictured import gallery

    def absent(why: str) -> None:
        click.echo(f"pictures are of footage alone: {why}", err=True)

    with countdown("pictures") as tell:
        opened = gallery(
            within.sink,
            footage,
            shown,
            settings=within.settings,
            tell=lambda read: tell(None, f"{read} records read"),
            on_absent=absent,
        )
        with opened as pictures:
            yield pictures


def draw_sheet(
    title: str, shown: Sequence[Episode], within: SinkTable, media: Sequence[str], sheet: Path
) -> None:
    """Write the sheet, of each episode its best frame.

    Raises:
        UsageError: it cannot be written, or no such footage.
    """
    from pipeline.search.pictured import Shown
    from pipeline.search.sheet import contact_sheet
    from pipeline.view.footage import Footage

    rows = Shown(rows=[one.best for one in shown])
    with opened_gallery(within, Footage.of(media), rows) as pictures:
        drawn = contact_sheet(title, shown, lambda one: pictures.of(one.best))
    save_picture(drawn, sheet)


def save_picture(picture: Image.Image, path: Path) -> None:
    """Write a picture, and say so.

    Raises:
        UsageError: it cannot be written.
    """
    from operators.errors import UsageError

    try:
        picture.save(path)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None
    click.echo(f"wrote {path}", err=True)
