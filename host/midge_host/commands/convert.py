"""`midge convert`: a trained model becomes a .midge file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ..conversion import convert
from ..conversion.detection import KINDS
from ..conversion.small import LOSS, Wanted
from ..errors import CheckFailed, printable
from ..files.outputs import beside
from ..quantize.prune import LEAST
from . import COMMANDS, PATH, PIXELS, range_of_pixels
from .info import AFRESH, in_rows, memory


@click.command("convert", help=COMMANDS["convert"])
@click.argument("source", type=PATH, metavar="SRC")
@click.option("-o", "--output", type=PATH, help="The file to write; beside SRC, if not given.")
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
    "--macs",
    type=click.FloatRange(LEAST, 1),
    default=1,
    metavar="SHARE",
    help="Of a model of floats: the share of its multiplications that may stay, 0.75 for three quarters; the channels "
    "with the least effect leave, without training.",
)
@click.option(
    "--features",
    default="float32",
    show_default=True,
    help="Of trees: float32, or int16, which takes about half the memory and says what it changed. Then, of networks "
    "too, features of samples that the model was trained on, in their order: mean, std, min, max, range, rms, diff, "
    "crossings, median, bands:N; before them filters, lowpass:HERTZ and highpass:HERTZ.",
)
@click.option("--window", type=int, help="Samples that --features are of.")
@click.option(
    "--unit", type=float, default=1.0, show_default=True, help="With --features of samples: the value of one step."
)
@click.option("--rate", type=float, metavar="HERTZ", help="With filters in --features: samples a second.")
@PIXELS
@click.option("--audio", metavar="FRONT:STEP", help="How a model hears: micro:10ms, micro:20ms, mfcc or logmel.")
@click.option("--every", type=int, metavar="FRAMES", help="With --audio: how many from prediction to prediction.")
@click.option("--learn", metavar="LAYER", help="The layer whose output it learns from on a board, or auto.")
@click.option("--exemplars", type=PATH, help="With --learn: readings with labels, of classes that it is to know.")
@click.option("--impostors", type=PATH, help="With --learn: readings with labels, of others than whom it is to know.")
@click.option(
    "--false-accepts",
    type=click.FloatRange(0, 50),
    default=1,
    show_default=True,
    metavar="PERCENT",
    help="Of the impostors, how many may be taken for the one that it knows.",
)
@click.option(
    "--detect",
    type=click.Choice(KINDS),
    default="auto",
    show_default=True,
    help="How it finds things in pictures; auto looks whether its outputs cannot be mistaken.",
)
@click.option("--score", type=click.FloatRange(0, 1), help="With --detect: what a thing needs, from 0 to 1.")
@click.option(
    "--anchors", metavar="WxH,...", help="With --detect yolo, of heads as they are: those of the largest grid first."
)
@click.option(
    "--cores",
    type=click.IntRange(1, 2),
    default=1,
    show_default=True,
    help="Of a board that are to run it: for midge.load(cores=2) 2, which takes more working memory.",
)
@click.option(
    "--slowdown",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="How much longer a prediction may take, by estimate, for less working memory; 2 if not given.",
)
@click.option(
    "--ram",
    type=click.IntRange(min=1),
    metavar="BYTES",
    help="In place of --slowdown: of working memory; a prediction takes as little time as it can in them.",
)
@click.option("--pack", is_flag=True, help="Code the weights, where that makes the file smaller.")
@click.option("--small", is_flag=True, help="Weights of few bits, where that changes the outputs least.")
@click.option("--bytes", "most", type=click.IntRange(1), metavar="N", help="With --small: of the file, at most.")
@click.option(
    "--loss",
    type=click.FloatRange(0, 100),
    metavar="POINTS",
    help="With --small: answers in a hundred that may change, beside weights of 8 bits; 1 if not given.",
)
@click.option("--bare", is_flag=True, help="Leave out the self-test, names and provenance: some hundred bytes.")
@click.option("--signature", help="Which one of a .tflite with several.")
@click.option("--trust", is_flag=True, help="Open files that can run code (pickles).")
@click.option("--allow-loss", is_flag=True, help="Write the file even if the model no longer works as well.")
@click.option("--to", type=click.Choice(["midge", "tflite"]), default="midge", show_default=True, help="What to write.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; with --small, sizes and what is lost at each.")
@click.option("-v", "--verbose", is_flag=True, help="Say what each step of the conversion did.")
def command(
    source: Path,
    output: Path | None,
    calibration: Path | None,
    test: Path | None,
    labels: Path | None,
    name: str | None,
    precision: str,
    macs: float,
    features: str,
    window: int | None,
    unit: float,
    rate: float | None,
    pixels: str,
    audio: str | None,
    every: int | None,
    learn: str | None,
    exemplars: Path | None,
    impostors: Path | None,
    false_accepts: float,
    detect: str,
    score: float | None,
    anchors: str | None,
    cores: int,
    slowdown: float | None,
    ram: int | None,
    pack: bool,
    small: bool,
    most: int | None,
    loss: float | None,
    bare: bool,
    signature: str | None,
    trust: bool,
    allow_loss: bool,
    to: str,
    as_json: bool,
    verbose: bool,
) -> None:
    if ram is not None and slowdown is not None:
        raise click.UsageError("--ram says how much memory there is, --slowdown how much time: give one of them")
    if not small and (most is not None or loss is not None):
        raise click.UsageError("--bytes and --loss say how small --small makes a file: give --small, too")
    if most is not None and loss is not None:
        raise click.UsageError("--bytes and --loss both say what is chosen: give one of them")
    output = output or beside(source, f".{to}")
    said: list[str] = []
    told: list[str] = []
    found: dict[str, Any] = {}
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
                macs=macs,
                features=features,
                window=window,
                unit=unit,
                rate=rate,
                pixels=range_of_pixels(pixels),
                to=to,  # type: ignore[arg-type]
                allow_loss=allow_loss,
                audio=audio,
                every=every,
                learn=learn,
                exemplars=exemplars,
                impostors=impostors,
                false_accepts=false_accepts / 100,
                detect=detect,
                score=score,
                anchors=_sizes(anchors) if anchors else (),
                cores=cores,
                slowdown=(2 if slowdown is None else slowdown) / 100,
                ram=ram or 0,
                pack=pack,
                small=Wanted(most, LOSS if loss is None else loss) if small else None,
                show=found.__setitem__,
                bare=bare,
                say=said.append,
                tell=told.append,
            )
    except CheckFailed:
        for line in told:
            click.echo(printable(line))
        raise
    if as_json:
        facts = {"file": str(output), "bytes": output.stat().st_size, "arena_bytes": model.arena_bytes}
        click.echo(json.dumps({**facts, "said": told, **found}, indent=2))
        return
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
    if model.region:
        click.echo(in_rows(model.region))
    if memory(model):
        click.echo(f"The model {memory(model)}.")


def _sizes(text: str) -> list[tuple[float, float]]:
    """Widths and heights, WxH,WxH."""
    try:
        pairs = [tuple(map(float, part.split("x"))) for part in text.split(",")]
    except ValueError:
        pairs = [()]
    if any(len(pair) != 2 or min(pair) <= 0 for pair in pairs):
        raise click.UsageError(f"--anchors {text}: write 10x13,16x30", click.get_current_context())
    return [(pair[0], pair[1]) for pair in pairs]
