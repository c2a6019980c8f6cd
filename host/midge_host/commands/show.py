"""`midge show`: what a model makes of a reading, layer by layer, and how single values come about."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.text import Text

from ..backends.machine import Machine
from ..device.model_file import ModelFile, read
from ..errors import CheckFailed, MidgeError, printable
from ..files import pictures, refuse_overwriting, write_whole
from ..files.outputs import beside
from ..files.readings import read_readings
from ..files.wav import read_wav_of
from ..report import terminal
from ..report.activations import Shown, Traced, Watched, watch
from ..report.show import Score, page, scores_of, short, terms_table
from ..report.trace import TRACED, Trace
from . import COMMANDS, MODEL, PATH, range_of_pixels
from .run import of_pictures
from .tables import print_table, screen_width

SCORES = 10  # that are shown, the largest
BAR = 30  # characters of a score of 1
TERMS = 16  # of a sum, those that weigh most
GAP = 2  # columns between pictures
BESIDE = Path()  # where the page goes if -o names no place


def enter(machine: Machine, path: Path, number: int | None, crop: str, pixels: tuple[float, float] | None) -> str:
    """Enters a reading into a machine, up to the prediction; returns what it is. number: of the reading in a file of
    many, 0 if not given, or of the prediction in a recording, the last if not given."""
    model = machine.model
    if model.sound:
        return _hear(machine, path, number)
    if path.suffix.lower() in pictures.SUFFIXES:
        inputs = of_pictures(model, [path], crop)
    else:
        readings = read_readings(path, [t.shape for t in model.inputs])
        inputs = (readings.as_real(pixels) if pixels else readings).inputs
    count, number = len(inputs[0]), number or 0
    if number >= count:
        raise MidgeError(f"--reading {number}: {path} has {count:,}, counted from 0")
    machine.enter([x[number] for x in inputs])
    return f"{path}, reading {number} of {count:,}" if count > 1 else str(path)


def _hear(machine: Machine, path: Path, number: int | None) -> str:
    sound = machine.model.sound
    assert sound
    samples = read_wav_of(path, sound.rate)
    size, hop, every = machine.model.inputs[0].size, sound.hop, sound.every
    needed = size + (sound.first - 1) * hop
    count = max(0, 1 + (len(samples) - needed) // (hop * every))
    if not count:
        raise MidgeError(f"{path}: {len(samples):,} samples, {needed:,} are needed for a prediction; record more")
    chosen = count - 1 if number is None else number
    if chosen >= count:
        raise MidgeError(f"--reading {chosen}: the model makes {count:,} predictions of {path}, counted from 0")
    for i, _ in enumerate(machine.hear(samples[: needed + chosen * hop * every])):
        if i < chosen:
            for _ in machine.steps():
                pass
    seconds = (needed + chosen * hop * every) / sound.rate
    return f"{path}, prediction {chosen} of {count:,}, up to {seconds:.2f} s"


def show(model: ModelFile, what: str, watched: Watched) -> None:
    """Prints the pictures, traces and scores."""
    out = Console(width=screen_width(), highlight=False)
    out.print(Text(printable(f"{model.info.get('name') or 'model'}: {what}"), "bold"))
    for shown in watched.shown:
        _show_layer(out, shown)
    for scores in scores_of(model, watched):
        _show_scores(out, scores[:SCORES])
    for traced in watched.traces:
        show_trace(out, traced)


def _show_layer(out: Console, shown: Shown) -> None:
    shape = "x".join(map(str, shown.values.shape))
    real = f", real {'..'.join(map(short, shown.real))}" if shown.real else ""
    out.print()
    out.print(Text(printable(f"{shown.text} {shape}: {shown.name}, {'..'.join(map(short, shown.limits))}{real}")))
    coloured, pictures_ = terminal.has_greys(out), shown.pictures
    if not pictures_:
        for bars in terminal.bars(shown.levels.reshape(-1), out.width):
            out.print(bars)
        return
    drawn = [terminal.picture(pictures_[0], coloured)]
    room = max((out.width + GAP) // (drawn[0][0].cell_len + GAP), 1)
    drawn += [terminal.picture(levels, coloured) for levels in pictures_[1:room]]
    for line in terminal.beside(drawn, GAP):
        out.print(line, no_wrap=True)
    if len(drawn) < len(pictures_):
        out.print(f"{len(drawn)} of {len(pictures_)} channels; a page, -o, shows all", style="dim")


def _show_scores(out: Console, scores: list[Score]) -> None:
    out.print()
    widest = max(len(printable(score.name)) for score in scores)
    for score in scores:
        bar = "█" * round(BAR * score.share)
        out.print(Text.assemble(f"{printable(score.name):{widest}} {score.value:8.3g} ", (bar, "cyan")))


def show_trace(out: Console, traced: Traced) -> None:
    """How a value comes about, as tables."""
    where = ",".join(map(str, traced.place))
    out.print()
    out.print(Text(printable(f"{traced.index} {traced.name}: {traced.operator}, value {where}"), "bold"))
    if traced.made is None:
        out.print(f"{traced.operator} is not traced; these are: {', '.join(TRACED)}, of int8")
        return
    _show_terms(traced.made)
    rows = [(line.what, f"{line.value:,}", short(line.exact), short(line.real)) for line in traced.made.lines]
    print_table(("step", "integer", "not rounded", "real value"), rows, words=("step",))
    out.print(verdict(traced))


def _show_terms(made: Trace) -> None:
    terms = made.terms
    if len(terms) > TERMS:
        weighed = [abs(term.product if term.product is not None else term.value) for term in terms]
        chosen = sorted(np.argsort(-np.array(weighed), kind="stable")[:TERMS])
        click.echo(f"the {TERMS} of {len(terms):,} inputs that weigh most; a page, -o, shows all")
        terms = [terms[i] for i in chosen]
    header, rows = terms_table(made, terms)
    print_table(header, rows, words=(), left=("where",))


def verdict(traced: Traced) -> str:
    """Whether what was traced is what the core computed. Raises CheckFailed if not."""
    core = "the C core" if traced.native else "the NumPy reference"
    assert traced.made
    if not traced.agrees:
        where = ",".join(map(str, (traced.index, *traced.place)))
        raise CheckFailed(f"the trace of {where} ends at {traced.made.value}, {core} gives {traced.core}: report it")
    return f"{core} gives {traced.core}, too: checked"


@click.command("show", help=COMMANDS["show"])
@MODEL
@click.argument("source", type=PATH, metavar="INPUT")
@click.option(
    "-o",
    "--output",
    type=PATH,
    is_flag=False,
    flag_value=BESIDE,
    metavar="[PAGE]",
    help="Write a page, HTML, in place of the pictures in the terminal; beside INPUT, if nothing follows.",
)
@click.option("--trace", "wishes", multiple=True, metavar="LAYER,Y,X,C", help="Follow one value of a layer's output.")
@click.option("--reading", type=click.IntRange(0), help="Of a file of many, from 0; of sound, which prediction.")
@click.option(
    "--crop",
    type=click.Choice(["centre", "fit"]),
    default="centre",
    show_default=True,
    help="Of a picture: the middle, or all with black bars.",
)
@click.option("--pixels", metavar="LOW..HIGH", help="Give uint8 pixels of a file as real values of this range.")
def command(
    model: Path,
    source: Path,
    output: Path | None,
    wishes: tuple[str, ...],
    reading: int | None,
    crop: str,
    pixels: str | None,
) -> None:
    if output == BESIDE:
        output = beside(source, ".html")
    if output is not None:
        refuse_overwriting(output, model, source)
    span = range_of_pixels(pixels) if pixels is not None else None
    machine = Machine(read(model).whole)
    with Console(stderr=True).status("running the model"):
        what = enter(machine, source, reading, crop, span)
        watched = watch(machine, wishes)
    for traced in watched.traces:
        if traced.made:
            verdict(traced)
    if output is None:
        show(machine.model, what, watched)
        return
    made = page(machine.model, what, watched)
    write_whole(output, made)
    click.echo(f"{output}: {len(made):,} bytes; open it in a browser")
