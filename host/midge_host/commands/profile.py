"""`midge profile`: what each layer takes on a real board."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from .. import backends
from ..backends import WEIGHTS
from ..deploy.live.profile import ROUNDS, Profile, profile
from ..device.model_file import read
from ..errors import MidgeError, printable
from ..targets.catalogue.chips import M0PLUS
from . import COMMANDS, MODEL, bench
from .ports import PORT, found_port
from .tables import print_table


def counted(path: Path, found: Profile) -> list[float]:
    """Milliseconds of each layer at the board's clock, by the cycles that an emulated Pico counts. MidgeError for a
    board of another core."""
    if found.core is not M0PLUS or not found.clock_hz:
        raise MidgeError(f"--counted: cycles are counted of a {M0PLUS.name} alone, as in an RP2040; leave it out")
    if why := backends.problem("pico"):
        raise MidgeError(f"--counted: {why}")
    *_, cycles = bench.on_pico(path, found.weights_mode)
    return [1e3 * count / found.clock_hz for count in cycles]


def facts(found: Profile, counts: list[float] | None) -> dict[str, Any]:
    """Plain data for --json."""
    return {
        "machine": found.board.machine,
        "implementation": found.board.implementation,
        "backend": found.backend,
        "weights": found.weights_mode,
        "clock_hz": found.clock_hz,
        "core": found.core.name if found.core else None,
        "heap_bytes": found.heap_bytes,
        "milliseconds": found.whole,
        "modelled_milliseconds": found.modelled,
        "around_milliseconds": found.around,
        "layers": [asdict(layer) | ({"counted": counts[i]} if counts else {}) for i, layer in enumerate(found.layers)],
    }


def show(found: Profile, counts: list[float] | None) -> None:
    """A line a layer: measured, its share, modelled, and counted if it was."""
    total = found.whole or sum(layer.measured for layer in found.layers)

    def row(number: str, name: str, operator: str, macs: int, measured: float, *others: float | None) -> list[str]:
        share = f"{100 * measured / total:.1f}" if total else ""
        work = f"{macs:,}" if macs else ""
        beside = [_number(other) for other in others[: 2 if counts else 1]]
        return [number, printable(name), operator, work, f"{measured:,.3f}", share, *beside]

    rows = []
    for i, x in enumerate(found.layers):
        rows.append(
            row(str(x.index), x.name, x.operator, x.macs, x.measured, x.modelled, counts[i] if counts else None)
        )
    if found.whole is not None and found.around is not None:
        rows.append(row("", "around the layers", "", 0, found.around, None, None))
        work = sum(x.macs for x in found.layers)
        rows.append(row("", "one prediction", "", work, found.whole, found.modelled, None))
    header = ("#", "layer", "operator", "MACs", "ms", "%", "modelled ms", *(["counted ms"] if counts else []))
    print_table(header, rows, words=("layer",), left=("operator",))
    clock = f" at {found.clock_hz / 1e6:g} MHz" if found.clock_hz else ""
    click.echo(f"measured  on {printable(found.board.machine)}{clock}, {found.backend} kernels, weights: ", nl=False)
    click.echo(found.weights_mode)
    if found.core:
        click.echo(f"modelled  {found.core.name}: {found.core.cycles.source}")
    else:
        click.echo("modelled  nothing: the core or its clock is not known, or the portable kernels run")
    if counts:
        click.echo(f"counted   cycles of an emulated Pico; {bench.HOW['cycles']}")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.3f}"


@click.command("profile", help=COMMANDS["profile"])
@MODEL
@PORT
@click.option("--weights", type=click.Choice(WEIGHTS), default="auto", show_default=True, help="Where they live.")
@click.option("--rounds", type=click.IntRange(1, 1000), default=ROUNDS, show_default=True, help="Medians of so many.")
@click.option("--counted", "counts", is_flag=True, help="Count the cycles on an emulated Pico too, for an RP2040.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(model: Path, port: str | None, weights: str, rounds: int, counts: bool, as_json: bool) -> None:
    read(model)  # or it says what is wrong, before a board is looked for
    with Console(stderr=True).status("running on the board"):
        found = profile(model, found_port(port), weights, rounds)
        cycles = counted(model, found) if counts else None
    if as_json:
        click.echo(json.dumps(facts(found, cycles), indent=2))
    else:
        show(found, cycles)
