"""`midge boards`: what is plugged in."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import click

from ..deploy import describe
from ..deploy.links import open_link
from ..deploy.ports import LEAVE, Port, drives, loaders, ports
from ..errors import MidgeError, printable
from . import COMMANDS

VERSION = "import sys\nprint('.'.join(map(str, sys.implementation[1][:3])))"


def boards(ask: bool = False) -> dict[str, Any]:
    """Plain data for --json: `ports`, `drives` of CircuitPython and of bootloaders, `bootloaders` that show neither.

    ask: opens each port's REPL, which stops what runs there, and adds what the board says of itself, or why it doesn't.
    """
    mounted = drives()
    return {
        "ports": [_port(port) | (_asked(port) if ask else {}) for port in ports()],
        "drives": [
            {"folder": str(drive.folder), "board": drive.board, "firmware": drive.firmware or None} for drive in mounted
        ],
        "bootloaders": loaders() if all(drive.firmware for drive in mounted) else [],
    }


def _port(port: Port) -> dict[str, Any]:
    usb = f"{port.usb[0]:04x}:{port.usb[1]:04x}"
    return {"port": port.device, "usb": usb, "product": port.product, "about": port.about}


def _asked(port: Port) -> dict[str, Any]:
    try:
        link = open_link("mpremote", port.device)
    except MidgeError as error:
        return {"error": str(error)}
    try:
        board, version = describe(link), link.run(VERSION).strip()
    except Exception as error:  # of a tool's, whatever the device does; the other ports are asked all the same
        return {"error": f"{port.device}: {error or type(error).__name__}"}
    finally:
        with contextlib.suppress(Exception):
            link.close()
    return {
        "machine": board.machine,
        "firmware": f"{board.implementation} {version}",
        "native_modules": board.architecture,
        "free_bytes": board.free_bytes,
    }


def show(found: dict[str, Any]) -> None:
    """A line for each port and each drive."""
    for port in found["ports"]:
        names = [name for name in (port["product"], port["about"]) if name]
        line = f"{port['port']:14} {port['usb']}  {', '.join(dict.fromkeys(names)) or 'no name'}"
        if "machine" in port:
            native = port["native_modules"] or "no native modules"
            line += f": {port['machine']}, {port['firmware']}, {native}"
        print(printable(line))
        if "error" in port:
            print(printable(f"{'':14} {port['error']}"))
    for drive in found["drives"]:
        state = drive["firmware"] or "bootloader: copy firmware (.uf2) here, or press reset if it has some"
        print(printable(f"{drive['folder']}  {drive['board'] or 'no name'}: {state}"))
    for about in found["bootloaders"]:
        print(f"{about}: {LEAVE['bootloader']}")
    if not any(found.values()):
        print("nothing is plugged in, or its cable carries power alone")


@click.command("boards", help=COMMANDS["boards"])
@click.option("--ask", is_flag=True, help="Open each port and ask: this stops the program that runs on the board.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(ask: bool, as_json: bool) -> None:
    found = boards(ask)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        show(found)
