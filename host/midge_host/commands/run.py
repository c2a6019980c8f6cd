"""`midge run`: a model over the readings in a file, on any backend."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from .. import backends
from ..files import load_arrays, refuse_overwriting, save_arrays
from . import COMMANDS, MODEL, PATH, RESET


def _list_backends(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted:
        for name, (_, text) in backends.BACKENDS.items():
            why = backends.problem(name)
            click.echo(f"{name:22}{text}{f' - not here: {why}' if why else ''}")
        context.exit()


@click.command("run", help=COMMANDS["run"])
@MODEL
@click.option("--inputs", type=PATH, required=True, help=".npz: `inputs` (N, *shape), further inputs `inputs_1`...")
@click.option("--outputs", type=PATH, required=True, help=".npz to write: `outputs`, further outputs `outputs_1`...")
@click.option("--backend", default="cpython", show_default=True, help="Where to run: see --list-backends.")
@click.option("--weights", default="auto", show_default=True, help="auto, ram, map or stream.")
@RESET
@click.option(
    "--list-backends", is_flag=True, callback=_list_backends, expose_value=False, is_eager=True, help="Show backends."
)
def command(model: Path, inputs: Path, outputs: Path, backend: str, weights: str, reset: str) -> None:
    refuse_overwriting(outputs, model, inputs)
    values = load_arrays(inputs, "inputs")
    with Console(stderr=True).status(f"running on {backend}"):
        result = backends.run(backend, model, values, weights, reset == "each")
    save_arrays(outputs, "outputs", result.outputs)
    time = f", {result.microseconds / 1000:.3f} ms each" if result.microseconds else ""
    click.echo(f"{outputs}: {len(values[0])} predictions on {backend}{time}")
