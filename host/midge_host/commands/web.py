"""`midge web`: a page that runs a model in the browser, as files for any web server."""

from __future__ import annotations

import contextlib
import json
import tempfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import click

from ..backends import wasm
from ..conversion import convert
from ..device.model_file import read
from ..errors import MidgeError
from ..files import write_whole
from ..files.outputs import MODELS, beside
from . import COMMANDS, PATH

WEB = "midge_host.web"
SUFFIXES = (".html", ".css", ".mjs")


def page(models: dict[str, bytes]) -> dict[str, bytes]:
    """The files of the page by their names. models: .midge files by the models' names."""
    found = {item.name: item.read_bytes() for item in files(WEB).iterdir() if item.name.endswith(SUFFIXES)}
    listed = [{"name": name, "file": f"{name}.midge"} for name in models]
    found[MODELS] = json.dumps(listed, indent=2).encode() + b"\n"
    found["midge.wasm"] = wasm.CORE.read_bytes()
    return found | {f"{name}.midge": data for name, data in models.items()}


def examples() -> dict[str, bytes]:
    """The models that come with midge, converted."""
    with tempfile.TemporaryDirectory(prefix="midge-") as folder, as_file(files("midge_host.digits")) as digits:
        path = Path(folder) / "digits.midge"
        convert(digits / "digits.tflite", path, labels=digits / "digits.txt", name="digits")
        return {"digits": path.read_bytes()}


class _Handler(SimpleHTTPRequestHandler):
    """Files with the types that browsers ask of modules and WebAssembly, whatever this machine's table says."""

    extensions_map = {  # noqa: RUF012
        "": "application/octet-stream",
        ".html": "text/html; charset=utf-8",
        ".css": "text/css",
        ".mjs": "text/javascript",
        ".json": "application/json",
        ".wasm": "application/wasm",
    }

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")  # the next model has the same address
        super().end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


def server(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server of the folder's files for this machine alone; port 0 takes a free one."""
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, directory=str(folder)))
    except (OSError, OverflowError) as error:
        raise MidgeError(f"--port {port}: {error}; choose another one") from None


@click.command("web", help=COMMANDS["web"])
@click.argument("model", type=PATH, metavar="[MODEL.midge]", required=False)
@click.option(
    "-o",
    "--output",
    type=PATH,
    help="Folder to write, for any web server; MODEL-web, if nothing is said.",
)
@click.option("--serve", is_flag=True, help="Serve the page on this machine until Ctrl-C.")
@click.option("--port", default=8000, show_default=True, help="Where to serve it; 0 takes a free one.")
def command(model: Path | None, output: Path | None, serve: bool, port: int) -> None:
    if not (output or serve):
        if model is None:
            raise click.UsageError("give a model, a folder with -o, or --serve")
        output = beside(model, "-web")
    if output and output.exists() and not output.is_dir():
        raise MidgeError(f"{output}: is there and is no folder; choose another name")
    if model:
        read(model)  # or it says what is wrong
    made = page({model.stem: model.read_bytes()} if model else examples())
    with contextlib.ExitStack() as stack:
        folder = output or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="midge-web-")))
        folder.mkdir(exist_ok=True)
        for name, data in made.items():
            write_whole(folder / name, data)
        if output:
            click.echo(
                f"{output}: {len(made)} files, {sum(map(len, made.values())):,} bytes; open it from a web server"
            )
        if serve:
            with server(folder, port) as running, contextlib.suppress(KeyboardInterrupt):
                click.echo(f"http://127.0.0.1:{running.server_address[1]}  (Ctrl-C ends it)")
                running.serve_forever()
