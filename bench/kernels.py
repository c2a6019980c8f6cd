"""Counts the kernels of the C core layer by layer: cycles of an emulated Cortex-M0+, instructions on others.

    python bench/kernels.py vww                       all layers of models with "vww" in the name
    python bench/kernels.py shapes                    layers made here
    python bench/kernels.py front_end                 a step of the micro front end, which has no committed figures
    python bench/kernels.py vww --layer 3 5           some layers
    python bench/kernels.py vww --only depthwise      layers whose operator or shape contains this
    python bench/kernels.py vww --layer 3 --blocks 0 1
    python bench/kernels.py vww --layer 3 --profile   where the cycles go: by symbol, by instruction
    python bench/kernels.py vww --arch rv32imc        instructions
    python bench/kernels.py ww_alexa                  cycles only: some of its records are of another bank
    python bench/kernels.py --update                  writes the figures, the fit to them and docs/performance.md

The last columns say what the committed figures are, and the change.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from counting import armv6m, costs, figures, front_end, page
from counting.counters import COUNTERS, UNITS
from counting.layers import Layer
from midge_host.errors import MidgeError

SHOWN = 0.01  # of the cycles: what a symbol takes for its instructions to be listed
OUT = Console(width=None if Console().is_terminal else 150, highlight=False)


def wanted(args: argparse.Namespace) -> Iterator[tuple[str, list[Layer]]]:
    """(model, layers) as the options say."""
    for name in (*figures.MODELS, *figures.OTHERS, front_end.NAME):
        if not any(part in name for part in args.model or figures.MODELS):
            continue
        chosen = []
        for layer in front_end.layers() if name == front_end.NAME else figures.load_layers(name):
            if args.layer and layer.index not in args.layer:
                continue
            if args.only and args.only.lower() not in f"{layer.operator} {layer.shape}".lower():
                continue
            chosen.append(layer.part(*args.blocks) if args.blocks and layer.blocks else layer)
        if chosen:
            yield name, chosen


def known_count(known: Sequence[figures.Figure], layer: Layer, arch: str) -> int:
    """The layer's committed figure; 0 if there is none."""
    same = layer.index < len(known) and figures.describe(layer).items() <= known[layer.index].items()
    return known[layer.index][arch] if same else 0


def show(name: str, arch: str, chosen: list[Layer], counts: list[int], known: Sequence[figures.Figure]) -> None:
    unit = UNITS[arch]
    table = Table(box=None, header_style="bold", title=f"{name}, {arch}", title_justify="left")
    table.add_column("#", justify="right", no_wrap=True)
    for column in ("operator", "shape"):
        table.add_column(column, no_wrap=True)
    for column in ("MACs", unit, "%", "/MAC", "/output", "figure", "change"):
        table.add_column(column, justify="right", no_wrap=True)
    everything = sum(counts)

    def row(number: str, operator: str, shape: str, macs: int, outputs: int, count: int, figure: int) -> None:
        cells = [f"{macs:,}" if macs else "", f"{count:,}", f"{100 * count / everything:.1f}"]
        cells += [f"{count / macs:.2f}" if macs else "", f"{count / outputs:.1f}" if outputs else ""]
        cells += [f"{figure:,}", f"{count / figure - 1:+.1%}"] if figure else ["", ""]
        table.add_row(number, operator, shape, *cells, style="" if number else "bold")

    before = [known_count(known, layer, arch) for layer in chosen]
    for layer, count, figure in zip(chosen, counts, before, strict=True):
        row(str(layer.index), layer.operator, layer.shape, layer.macs, layer.outputs, count, figure)
    time = f"{1e3 * everything / armv6m.CLOCK_HZ:,.1f} ms at 125 MHz" if unit == "cycles" else ""
    row("", "in all", time, sum(layer.macs for layer in chosen), 0, everything, sum(before) if all(before) else 0)
    OUT.print(table)


def show_profile(layer: Layer, found: armv6m.Profile) -> None:
    """Cycles by symbol, then the instructions of symbols that take SHOWN or more."""
    total = sum(found.cycles.values())
    OUT.print(f"{layer.title}: {total:,} cycles", style="bold", markup=False)
    symbols = found.by_symbol()
    for name, cycles in symbols.most_common():
        OUT.print(f"{cycles:12,} {100 * cycles / total:5.1f} %  {name}")
    OUT.print("\n       times       cycles      %")
    listing = False
    symbol_at = {address: name for name, address in sorted(found.program.symbols.items())}
    for address, line in found.program.disassembly():
        if address in symbol_at:
            name = symbol_at[address]
            listing = symbols[name] >= SHOWN * total
            if listing:
                OUT.print(f"{name}:", style="bold", markup=False)
        if listing and address is not None:
            times, cycles = found.times.get(address, 0), found.cycles.get(address, 0)
            counts = f"{times:12,} {cycles:12,} {100 * cycles / total:6.2f}" if times else " " * 32
            OUT.print(f"{counts}  {line.expandtabs()}", markup=False, soft_wrap=True)


def update() -> None:
    """Counts everything; writes the figures and the page."""
    for counter in COUNTERS.values():
        if why := counter.problem():
            raise MidgeError(why)
    if not figures.SHARED.is_dir():
        raise MidgeError("the reference models (../shared/data) are not here")
    measured = figures.measure()
    figures.write(measured)
    costs.update()
    page.PAGE.write_text(page.render(page.PAGE.read_text(encoding="utf-8"), measured), encoding="utf-8")
    for name, rows in measured.models.items():
        cycles, macs = page.total(rows, "armv6m"), page.total(rows, "macs")
        OUT.print(f"{name:24}{cycles:14,} cycles, {cycles / macs:.2f} per MAC")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="*", help="part of a model's name")
    parser.add_argument("--layer", type=int, nargs="+", help="numbers of layers")
    parser.add_argument("--only", metavar="TEXT", help="part of the operator's name or the shape")
    parser.add_argument("--blocks", type=int, nargs=2, metavar=("BEGIN", "END"), help="weight blocks, as when streamed")
    parser.add_argument("--profile", action="store_true", help="cycles by symbol and instruction (armv6m)")
    parser.add_argument("--arch", choices=COUNTERS, default="armv6m")
    parser.add_argument("--update", action="store_true", help="count all, write the figures and docs/performance.md")
    args = parser.parse_args()
    if args.profile and args.arch != "armv6m":
        parser.error("only armv6m can be profiled")
    try:
        if args.update:
            update()
            return
        counter = COUNTERS[args.arch]
        if why := counter.problem():
            raise MidgeError(why)
        known = figures.read().models if figures.PATH.exists() else {}
        found = list(wanted(args))
        if not found:
            raise MidgeError(f"no such layer; models: {', '.join((*figures.MODELS, *figures.OTHERS))}")
        assemble = cache(counter.assemble)
        for name, chosen in found:
            if name in figures.OTHERS and (args.arch != "armv6m" or args.profile):
                raise MidgeError(f"{name}: only cycles of armv6m are counted")
            program = assemble(bank=front_end.BANK if name == front_end.NAME else "core")
            if args.profile:
                for layer in chosen:
                    show_profile(layer, armv6m.profile(program, layer))
            else:
                others = name in figures.OTHERS
                counts = armv6m.count_banks(chosen) if others else counter.count(program, chosen)
                show(name, args.arch, chosen, counts, known.get(name, []))
    except MidgeError as error:
        sys.exit(f"{sys.argv[0]}: {error}")


if __name__ == "__main__":
    main()
