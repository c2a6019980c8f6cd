"""Counts the kernels of the C core layer by layer: cycles of an emulated Cortex-M0+.

python tests/bench_kernels.py vww                       all layers of models with "vww" in the name (shapes: made here)
python tests/bench_kernels.py vww --layer 3 5           some layers
python tests/bench_kernels.py vww --only DEPTHWISE      layers whose operator or shape contains this
python tests/bench_kernels.py vww --layer 3 --profile   where the cycles go: by symbol, by instruction
python tests/bench_kernels.py vww --layer 3 --blocks 0 1
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from kernels import armv6m, layers, shapes
from kernels.layers import Layer
from midge_host.errors import MidgeError

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "models"
SHAPES = "shapes"  # layers made here, as if they were a model
MODELS = (SHAPES, "vww_96_int8", "kws_ref_model", "pretrainedResnet_quant", "ad01_int8", "person_detect")
SHOWN = 0.01  # of the cycles: what a symbol takes for its instructions to be listed
OUT = Console(width=None if Console().is_terminal else 140, highlight=False)


def wanted(args: argparse.Namespace) -> Iterator[tuple[str, list[Layer]]]:
    """(model, layers) as the options say."""
    for name in MODELS:
        if args.model and not any(part in name for part in args.model):
            continue
        chosen = []
        for layer in shapes.layers() if name == SHAPES else layers.load(SHARED / f"{name}.tflite"):
            if args.layer and layer.index not in args.layer:
                continue
            if args.only and args.only.lower() not in f"{layer.operator} {layer.shape}".lower():
                continue
            if args.blocks and layer.blocks:
                layer = layer.part(*args.blocks)
            chosen.append(layer)
        if chosen:
            yield name, chosen


def show(name: str, chosen: list[Layer], cycles: list[int]) -> None:
    table = Table(box=None, header_style="bold", title=name, title_justify="left")
    for column, justify in (("#", "right"), ("operator", "left"), ("shape", "left")):
        table.add_column(column, justify=justify, no_wrap=True)
    for column in ("MACs", "cycles", "%", "cycles/MAC", "cycles/output"):
        table.add_column(column, justify="right", no_wrap=True)

    total = sum(cycles)

    def row(number: str, operator: str, shape: str, macs: int, outputs: int, spent: int, style: str = "") -> None:
        figures = [f"{macs:,}" if macs else "", f"{spent:,}", f"{100 * spent / total:.1f}"]
        figures += [f"{spent / macs:.2f}" if macs else "", f"{spent / outputs:.1f}" if outputs else ""]
        table.add_row(number, operator, shape, *figures, style=style)

    for layer, spent in zip(chosen, cycles, strict=True):
        row(str(layer.index), layer.operator, layer.shape, layer.macs, layer.outputs, spent)
    milliseconds = f"{1e3 * total / armv6m.CLOCK_HZ:,.1f} ms at 125 MHz"
    row("", "in all", milliseconds, sum(layer.macs for layer in chosen), 0, total, "bold")
    OUT.print(table)


def show_profile(layer: Layer, found: armv6m.Profile) -> None:
    """Cycles by symbol, then the instructions of symbols that take SHOWN or more."""
    total = sum(found.cycles.values())
    OUT.print(f"{layer.index} {layer.operator} {layer.shape}: {total:,} cycles", style="bold")
    symbols = found.by_symbol()
    for name, cycles in symbols.most_common():
        OUT.print(f"{cycles:12,} {100 * cycles / total:5.1f} %  {name}")
    OUT.print("\n       times       cycles      %")
    listing = False
    symbol_at = {address: name for name, address in found.program.symbols.items()}
    for address, line in found.program.disassembly():
        if address is None:
            continue
        if address in symbol_at:
            name = symbol_at[address]
            listing = symbols[name] >= SHOWN * total
            if listing:
                OUT.print(f"{name}:", style="bold", markup=False)
        if listing:
            times, cycles = found.times.get(address, 0), found.cycles.get(address, 0)
            counts = f"{times:12,} {cycles:12,} {100 * cycles / total:6.2f}" if times else " " * 32
            OUT.print(f"{counts}  {line.expandtabs()}", markup=False, soft_wrap=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="*", help="part of a model's name")
    parser.add_argument("--layer", type=int, nargs="+", help="numbers of layers")
    parser.add_argument("--only", metavar="TEXT", help="part of the operator's name or the shape")
    parser.add_argument("--blocks", type=int, nargs=2, metavar=("BEGIN", "END"), help="weight blocks, as when streamed")
    parser.add_argument("--profile", action="store_true", help="cycles by symbol and instruction")
    args = parser.parse_args()
    if why := armv6m.problem():
        sys.exit(f"bench_kernels: {why}")
    try:
        program = armv6m.assemble()
        for name, chosen in wanted(args):
            if args.profile:
                for layer in chosen:
                    show_profile(layer, armv6m.profile(program, layer))
            else:
                show(name, chosen, armv6m.count(program, chosen))
    except MidgeError as error:
        sys.exit(f"bench_kernels: {error}")


if __name__ == "__main__":
    main()
