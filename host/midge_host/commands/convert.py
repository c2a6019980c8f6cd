"""`midge convert`: a trained model becomes a .midge file."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from ..conversion import convert
from ..errors import CheckFailed, printable
from . import COMMANDS, PATH, PIXELS, range_of_pixels
from .info import AFRESH, memory


@click.command("convert", help=COMMANDS["convert"])
@click.argument("source", type=PATH, metavar="SRC")
@click.option("-o", "--output", type=PATH, required=True, help="The file to write.")
@click.option("--calibration", type=PATH, help="Typical readings, for models of floats: .npz, .npy, .csv or a folder.")
@click.option("--test", type=PATH, help="Other readings, best with labels, to try the model on.")
@click.option("--labels", type=PATH, help="Text file, one class label a line.")
@click.option("--name", help="The model's name; SRC's name if not given.")
@click.option(
    "--precision",
    type=click.Choice(["int8", "int16", "auto"]),
    default="int8",
    show_default=True,
    help="Of activations; auto takes 16 bits for the layers that need them.",
)
@click.option(
    "--features",
    type=click.Choice(["float32", "int16"]),
    default="float32",
    show_default=True,
    help="Of trees; int16 takes about half the memory and says what it changed.",
)
@PIXELS
@click.option("--signature", help="Which one of a .tflite with several.")
@click.option("--trust", is_flag=True, help="Open files that can run code (pickles).")
@click.option("--allow-loss", is_flag=True, help="Write the file even if the model no longer works as well.")
@click.option("--to", type=click.Choice(["midge", "tflite"]), default="midge", show_default=True, help="What to write.")
@click.option("-v", "--verbose", is_flag=True, help="Say what each step of the conversion did.")
def command(
    source: Path,
    output: Path,
    calibration: Path | None,
    test: Path | None,
    labels: Path | None,
    name: str | None,
    precision: str,
    features: str,
    pixels: str,
    signature: str | None,
    trust: bool,
    allow_loss: bool,
    to: str,
    verbose: bool,
) -> None:
    said: list[str] = []
    told: list[str] = []
    try:
        with Console(stderr=True).status(f"converting {source.name}"):
            model = convert(
                source,
                output,
                calibration=calibration,
                test=test,
                labels=labels,
                name=name,
                signature=signature,
                trust=trust,
                precision=precision,  # type: ignore[arg-type]  # click checks it
                features=features,  # type: ignore[arg-type]
                pixels=range_of_pixels(pixels),
                to=to,  # type: ignore[arg-type]
                allow_loss=allow_loss,
                say=said.append,
                tell=told.append,
            )
    except CheckFailed:
        for line in told:
            click.echo(printable(line))
        raise
    for line in [*(said if verbose else ()), *told]:
        click.echo(printable(line))
    size = f"{output}: {output.stat().st_size:,} bytes"
    if to == "tflite":
        click.echo(f"{size}, for TensorFlow Lite Micro")
        if memory(model) == AFRESH:
            click.echo("There its memory lasts: call the interpreter's Reset() before each prediction.")
        return
    click.echo(
        f"{size}, {len(model.records)} operators, {model.arena_bytes:,} bytes of "
        f"working memory; `midge info {output}` shows more"
    )
    if memory(model):
        click.echo(f"The model {memory(model)}.")
