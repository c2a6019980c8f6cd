"""`midge convert`: a trained model becomes a .midge file."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from ..convert import convert
from . import PATH


@click.command("convert")
@click.argument("source", type=PATH, metavar="SRC")
@click.option("-o", "--output", type=PATH, required=True, help="The .midge file to write.")
@click.option("--calibration", type=PATH, help="Keras: .npz with float32 `inputs` (N, *shape), typical readings.")
@click.option("--labels", type=PATH, help="Text file, one class label a line.")
@click.option("--name", help="The model's name; SRC's name if not given.")
@click.option("-v", "--verbose", is_flag=True, help="Say what each step of the conversion did.")
def command(
    source: Path, output: Path, calibration: Path | None, labels: Path | None, name: str | None, verbose: bool
) -> None:
    """Convert a trained model (.tflite, .keras, .h5, SavedModel folder) into a .midge file."""
    said: list[str] = []
    with Console(stderr=True).status(f"converting {source.name}"):
        model = convert(source, output, calibration=calibration, labels=labels, name=name, say=said.append)
    for line in said if verbose else ():
        click.echo(line)
    click.echo(
        f"{output}: {output.stat().st_size:,} bytes, {len(model.records)} operators, {model.arena_bytes:,} bytes of "
        f"working memory; `midge info {output}` shows more"
    )
