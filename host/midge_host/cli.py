"""The `midge` command. Exit codes: 0 done; 1 a check failed; 2 bad usage or bad input, one line on stderr."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from .errors import CheckFailed, MidgeError, printable

PATH = click.Path(path_type=Path)
MODEL = click.argument("model", type=PATH, metavar="MODEL.midge")


def _version(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from .convert import midge_version

        click.echo(f"midge {midge_version()}")
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, callback=_version, expose_value=False, is_eager=True, help="Show the version.")
def app() -> None:
    """Machine learning for MicroPython and CircuitPython boards."""


@app.command()
@click.argument("source", type=PATH, metavar="SRC")
@click.option("-o", "--output", type=PATH, required=True, help="The .midge file to write.")
@click.option("--calibration", type=PATH, help="Keras: .npz with float32 `inputs` (N, *shape), typical readings.")
@click.option("--labels", type=PATH, help="Text file, one class label a line.")
@click.option("--name", help="The model's name; SRC's name if not given.")
def convert(source: Path, output: Path, calibration: Path | None, labels: Path | None, name: str | None) -> None:
    """Convert a trained model (.tflite, .keras, .h5, SavedModel folder) into a .midge file."""
    from .convert import convert as convert_model

    with Console(stderr=True).status(f"converting {source.name}"):
        model = convert_model(source, output, calibration=calibration, labels=labels, name=name)
    click.echo(
        f"{output}: {output.stat().st_size:,} bytes, {len(model.records)} operators, {model.arena_bytes:,} bytes of "
        f"working memory; `midge info {output}` shows more"
    )


@app.command()
@MODEL
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(model: Path, as_json: bool) -> None:
    """Show layers, shapes, MACs, bytes, working memory, and which boards a model fits."""
    from . import info as model_info

    facts = model_info.facts(model)
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        model_info.show(facts)


def _list_backends(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from . import backends

        for name, (_, text) in backends.BACKENDS.items():
            why = backends.problem(name)
            click.echo(f"{name:22}{text}{f' - not here: {why}' if why else ''}")
        context.exit()


@app.command()
@MODEL
@click.option("--inputs", type=PATH, required=True, help=".npz: `inputs` (N, *shape), further inputs `inputs_1`...")
@click.option("--outputs", type=PATH, required=True, help=".npz to write: `outputs`, further outputs `outputs_1`...")
@click.option("--backend", default="cpython", show_default=True, help="Where to run: see --list-backends.")
@click.option("--weights", default="auto", show_default=True, help="auto, ram, map or stream.")
@click.option(
    "--list-backends", is_flag=True, callback=_list_backends, expose_value=False, is_eager=True, help="Show backends."
)
def run(model: Path, inputs: Path, outputs: Path, backend: str, weights: str) -> None:
    """Run a model on the inputs in a file."""
    from . import backends, npz
    from .convert import refuse_overwriting

    refuse_overwriting(outputs, model, inputs)
    values = npz.load(inputs, "inputs")
    with Console(stderr=True).status(f"running on {backend}"):
        result = backends.run(backend, model, values, weights)
    npz.save(outputs, "outputs", result.outputs)
    time = f", {result.microseconds / 1000:.3f} ms each" if result.microseconds else ""
    click.echo(f"{outputs}: {len(values[0])} predictions on {backend}{time}")


@app.command()
@MODEL
@click.option("--port", required=True, help="The board's serial port, /dev/ttyACM0 or COM3.")
@click.option("--with", "tool", default="mpremote", show_default=True, help="mpremote or ampy.")
@click.option("--library/--no-library", default=True, help="Copy the library and native module too.  [default: yes]")
def deploy(model: Path, port: str, tool: str, library: bool) -> None:
    """Copy a model, the library and the right native module onto a board, verify, and run the self-test there."""
    from .deploy import deploy as deploy_model

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(f"copying to {port}", total=None)
        report = deploy_model(model, port, tool, library, lambda done: bar.update(task, completed=done))
    board = report.board
    click.echo(f"board     {board.machine}, {board.implementation}, {board.architecture or 'no native modules'}")
    click.echo(f"copied    {', '.join(report.copied) or 'nothing'}; {len(report.skipped)} files were there already")
    if library and report.native_module is None:
        click.echo("native    no module for this board: the portable kernels run, slowly")
    click.echo(
        f"self-test passed: {report.backend} kernels, weights: {report.weights_mode}, "
        f"arena {report.arena_bytes:,} bytes, heap {report.heap_bytes:,} used, {report.free_bytes:,} free"
    )


@app.command()
@MODEL
@click.option("--board", default="pico", show_default=True, help="The emulated board to measure on.")
@click.option("--weights", default="auto", show_default=True, help="auto, ram, map (from ROMFS) or stream.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bench(model: Path, board: str, weights: str, as_json: bool) -> None:
    """Count the cycles of each layer, and the heap, on an emulated Raspberry Pi Pico."""
    from . import bench as measure

    with Console(stderr=True).status(f"running on an emulated {board}"):
        result = measure.bench(model, board, weights)
    if as_json:
        click.echo(json.dumps(result, indent=2))
    else:
        measure.show(result)


@app.command()
def demo() -> None:
    """Convert the digit classifier that comes with midge and run it on MicroPython."""
    from .demo import run_demo

    run_demo()


def main() -> None:
    """Entry point: an error becomes one line on stderr and an exit code."""
    try:
        sys.exit(app(standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(2)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "midge"
        _fail(f"{error.format_message().rstrip('.')}; see `{command} --help`", 2)
    except CheckFailed as error:
        _fail(str(error), 1)
    except MidgeError as error:
        _fail(str(error), 2)
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), 2)
    except MemoryError as error:
        _fail(f"out of memory {error}", 2)
    except (KeyboardInterrupt, click.Abort):
        _fail("interrupted", 130)


def _fail(message: str, code: int) -> None:
    click.echo("midge: " + printable(" ".join(message.split())), err=True)
    sys.exit(code)
