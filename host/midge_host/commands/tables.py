"""Tables and lines on the screen that never cut a number."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Sequence

import click
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..errors import printable

PIPED = 110  # columns where there is no terminal
LEAST = 8  # of a column of words
GAP = 2
INDENT = 17  # of a line that goes on


def screen_width() -> int:
    console = Console()
    return console.width if console.is_terminal else PIPED


def print_table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    words: Collection[str],
    left: Collection[str] = (),
    bold_last: bool = False,
) -> None:
    """Columns in `words` are folded where the screen is narrow, others never are: where they are still too many, each
    row becomes a paragraph. Those in neither `words` nor `left` stand to the right."""
    rows = [[printable(cell) for cell in row] for row in rows]
    width = screen_width()
    columns = [(name in words, max(map(cell_len, (name, *cells)))) for name, *cells in zip(header, *rows, strict=True)]
    others = sum(size + GAP for folds, size in columns if not folds)
    room = _room([size for folds, size in columns if folds], width - others)
    if room is None:
        _print_paragraphs(header, rows, width)
        return
    table = Table(box=None, header_style="bold")
    for name in header:
        justify = "left" if name in words or name in left else "right"
        folds = name in words
        table.add_column(
            escape(name),
            justify=justify,  # type: ignore[arg-type]
            no_wrap=not folds,
            overflow="fold",
            max_width=room if folds else None,
        )
    for i, row in enumerate(rows):
        table.add_row(*map(escape, row), style="bold" if bold_last and i == len(rows) - 1 else "")
    Console(width=width).print(table)


def _room(wanted: Sequence[int], room: int) -> int | None:
    """How wide columns of words may be, so that all fit in `room` with the gaps behind them; None where they cannot."""
    for most in range(max(wanted, default=0), LEAST - 1, -1):
        if sum(min(width, most) + GAP for width in wanted) <= room:
            return most
    return None if sum(min(width, LEAST) + GAP for width in wanted) > room else LEAST


def _print_paragraphs(header: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> None:
    for row in rows:
        named = [f"{name} {cell}".strip() for name, cell in zip(header, row, strict=True) if cell not in ("", ".")]
        click.echo(_folded(", ".join(named), width, 2))


def print_lines(lines: Iterable[str]) -> None:
    """Lines of words and figures, which on a terminal go on below between two words."""
    is_terminal = Console().is_terminal
    for line in lines:
        click.echo(_folded(printable(line), screen_width(), INDENT) if is_terminal else printable(line))


def _folded(line: str, width: int, indent: int) -> str:
    wrapped = textwrap.wrap(
        line,
        width,
        subsequent_indent=" " * min(indent, width // 4),
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
    return "\n".join(wrapped)
