"""`midge monitor`: what the program on a board prints, live."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ..deploy.links import listen
from ..deploy.live.monitor import Entry, Record, entries
from ..deploy.live.server import Feed, serve
from ..errors import printable
from . import COMMANDS
from .ports import PORT, found_port

BLOCKS = " ▁▂▃▄▅▆▇█"
PLOT = 60  # predictions in the plot of a terminal
SHOWN = 8  # events and lines


def drawn(record: Record) -> Group:
    """Scores with a plot of the last ones, events, and other lines."""
    values = [score for scores in record.scores.values() for _, score in scores]
    low, high = min([0.0, *values]), max([1.0, *values])
    latest = {label: scores[-1][1] for label, scores in record.scores.items()}
    table = Table(box=None, show_header=False, padding=(0, 1))
    for label, scores in record.scores.items():
        recent = [score for _, score in scores][-PLOT:]
        plot = "".join(BLOCKS[round((len(BLOCKS) - 1) * (score - low) / (high - low))] for score in recent)
        style = "bold green" if latest[label] == max(latest.values()) else ""
        table.add_row(Text(printable(label), style), Text(plot.rjust(PLOT), style), Text(f"{latest[label]:.3f}", style))
    parts: list[RenderableType] = [
        table,
        Text(f"{record.predictions:,} predictions; Ctrl-C ends this, the board goes on", "dim"),
    ]
    for entry in [*record.events][-SHOWN:]:
        assert entry.event
        parts.append(Text(f"{entry.seconds:8.2f} s  {printable(entry.event[0])} {entry.event[1]:.3f}", "bold"))
    parts += [Text(printable(entry.text), "dim") for entry in [*record.lines][-SHOWN:]]
    return Group(*parts)


def _until(found: Iterator[Entry | None], seconds: float | None) -> Iterator[Entry | None]:
    start = time.monotonic()
    for entry in found:
        yield entry
        if seconds is not None and time.monotonic() - start > seconds:
            return


def _show(found: Iterator[Entry | None], as_json: bool) -> None:
    if sys.stdout.isatty() and not as_json:
        record = Record()
        with Live(console=Console(), refresh_per_second=8) as live:
            for entry in found:
                if entry:
                    record.add(entry)
                live.update(drawn(record))
        return
    for entry in found:
        if entry and entry.text:
            click.echo(json.dumps(entry.facts()) if as_json else printable(f"{entry.seconds:8.2f} s  {entry.text}"))


def _fed(found: Iterator[Entry | None], feed: Feed) -> Iterator[Entry | None]:
    for entry in found:
        if entry and entry.text:
            feed.send(entry)
        yield entry


@click.command("monitor", help=COMMANDS["monitor"])
@PORT
@click.option("--restart", is_flag=True, help="Restart the board's program first.")
@click.option("--web", is_flag=True, help="Show it in the browser too, on a page of this machine.")
@click.option("--web-port", default=8001, show_default=True, help="Where that page is; 0 takes a free one.")
@click.option("--seconds", type=click.FloatRange(0.1), help="End after so many.  [default: Ctrl-C ends it]")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line.")
def command(port: str | None, restart: bool, web: bool, web_port: int, seconds: float | None, as_json: bool) -> None:
    name = found_port(port)
    with contextlib.ExitStack() as stack:
        feed = Feed()
        if web:
            server = serve(feed, web_port)
            stack.callback(server.shutdown)
            click.echo(f"http://127.0.0.1:{server.server_address[1]}/  (Ctrl-C ends it)", err=True)
        found = _until(entries(listen(name, restart)), seconds)
        with contextlib.suppress(KeyboardInterrupt):
            _show(_fed(found, feed), as_json)
