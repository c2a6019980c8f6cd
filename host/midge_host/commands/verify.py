"""`midge verify`: whether midge works on the board that is plugged in, as a report to attach to a bug report."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from ..deploy.live.verify import Report, verify
from ..errors import CheckFailed, MidgeError, printable
from ..files import write_whole
from . import COMMANDS, PATH
from .ports import PORT, found_port

SUFFIXES = (".md", ".txt", ".json")


def markdown(report: Report) -> str:
    """The report as text: what the board is, and a line for each network."""
    board = report.board
    firmware = report.firmware
    clock = f"{firmware.clock_hz / 1e6:g} MHz" if firmware.clock_hz else "not known"
    lines = [
        f"# midge {report.midge} on {board.machine}",
        "",
        f"- firmware: {board.implementation} {firmware.version}, {firmware.build}",
        f"- clock: {clock}",
        f"- native code: {board.architecture or 'none'}; midge's modules: {report.native_module or 'none'}",
        f"- free heap: {_bytes(firmware.free_bytes)}; free for files: {_bytes(board.free_bytes)}",
        f"- result: {verdict(report)}",
        "",
        "| network | kernels | self-test | ms a prediction | heap | operators |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for result in report.results:
        time = "" if result.milliseconds is None else f"{result.milliseconds:,.2f}"
        heap = "" if result.heap_bytes is None else f"{result.heap_bytes:,}"
        state = result.problem.replace("|", "/") or "passed"
        operators = ", ".join(result.operators)
        lines.append(f"| {result.name} | {result.backend} | {state} | {time} | {heap} | {operators} |")
    return printable("\n".join(lines)) + "\n"


def verdict(report: Report) -> str:
    """How many passed, in words."""
    failed = [result for result in report.results if result.problem]
    if not failed:
        return f"all {len(report.results)} self-tests passed"
    names = ", ".join(f"{result.name} ({result.backend})" for result in failed)
    return f"{len(failed)} of {len(report.results)} self-tests failed: {names}"


def _bytes(number: int | None) -> str:
    return "not known" if number is None else f"{number:,} bytes"


@click.command("verify", help=COMMANDS["verify"])
@PORT
@click.option("-o", "--output", type=PATH, help="Write the report: .md, or .json.")
@click.option("--portable", is_flag=True, help="Run the portable kernels too, which takes minutes.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(port: str | None, output: Path | None, portable: bool, as_json: bool) -> None:
    if output and output.suffix.lower() not in SUFFIXES:
        raise MidgeError(f"{output}: give a name that ends with {', '.join(SUFFIXES)}")
    found = found_port(port)
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("copying the library", total=None)
        report = verify(found, portable, lambda name, n, of: bar.update(task, description=name, completed=n, total=of))
    facts = json.dumps(report.facts(), indent=2) + "\n"
    if output:
        write_whole(output, (facts if output.suffix.lower() == ".json" else markdown(report)).encode())
    click.echo(facts if as_json else markdown(report), nl=False)
    if not report.passed:
        raise CheckFailed(f"{verdict(report)}; please report it to midge's issue tracker, with what is above")
