"""The `midge` command. What goes wrong is one line on stderr, and the exit code: 0 done; 1 a check failed; 2 bad usage
or bad input; 3 a fault of midge's own."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback

import click

from ..errors import CheckFailed, MidgeError, printable
from . import Commands


def _version(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from ..conversion import midge_version

        click.echo(f"midge {midge_version()}")
        context.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, callback=_version, expose_value=False, is_eager=True, help="Show the version.")
def app() -> None:
    """Machine learning for MicroPython and CircuitPython boards."""


def main() -> None:
    """Entry point: an error becomes one line on stderr and an exit code."""
    try:
        sys.exit(app(prog_name="midge", standalone_mode=False))
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
    except Exception as error:
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        _fail(f"a fault of midge's own, not of your files ({what}); {_keep_traceback()}", 3)


def _keep_traceback() -> str:
    """Writes the exception being handled and the command line into a new file; says what to do with it."""
    text = f"{' '.join(sys.argv)}\n\n{traceback.format_exc()}"
    try:
        handle, path = tempfile.mkstemp(prefix="midge-fault-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        return f"its traceback could not be kept ({error.strerror}): please report this line to midge's issue tracker"
    return f"please report it to midge's issue tracker, with {path}"


def _fail(message: str, code: int) -> None:
    click.echo("midge: " + printable(" ".join(message.split())), err=True)
    sys.exit(code)
