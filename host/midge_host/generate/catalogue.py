"""Tables in docs/catalogue.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..targets.catalogue import costs
from ..targets.catalogue.battery import BATTERIES
from ..targets.catalogue.boards import BOARDS
from ..targets.catalogue.chips import LX6, LX7, M0PLUS, M4F, M7, M33, RV32, Core
from ..targets.catalogue.figures import Current
from ..targets.catalogue.published import MODELS, PUBLISHED

CORES = (M0PLUS, M33, M4F, M7, LX6, LX7, RV32)
WHAT = {
    "armv6m": "cycles of a Cortex-M0+",
    "armv7emsp_cycles": "cycles of a Cortex-M4F",
    "rv32imc": "RV32 instructions",
    "xtensawin": "Xtensa instructions",
}


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "".join("| " + " | ".join(row) + " |\n" for row in (header, ["---"] * len(header), *rows))


def doc_boards() -> str:
    rows = []
    for board in BOARDS:
        pages = {
            "MicroPython": board.micropython and f"https://micropython.org/download/{board.micropython}/",
            "CircuitPython": board.circuitpython and f"https://circuitpython.org/board/{board.circuitpython}/",
        }
        psram = f" + {board.psram_kb:,} of PSRAM" if board.psram_kb else ""
        rows.append(
            [
                f"`{board.key}`",
                board.name,
                board.chip.core.name,
                str(board.clock_mhz),
                f"{board.flash_kb:,}{psram}",
                board.chip.core.architecture,
                ", ".join(f"[{name}]({page})" for name, page in pages.items() if page),
                board.wireless or "-",
                f"{board.heap.value:,.0f}, {board.heap.kind}" if board.heap else "not known",
            ]
        )
    names = [
        "",
        "board",
        "core",
        "MHz",
        "flash, KB",
        "native module",
        "clock, flash, firmware cited from",
        "radio",
        "heap",
    ]
    return _table(names, rows)


def doc_heaps() -> str:
    sources: dict[str, list[str]] = {}
    for board in BOARDS:
        if board.heap:
            sources.setdefault(f"{board.heap.value:,.0f} | {board.heap.kind} | {board.heap.source}", []).append(
                board.key
            )
    rows = [[", ".join(f"`{key}`" for key in keys), text] for text, keys in sources.items()]
    return _table(["boards", "heap", "", "how"], rows)


def doc_currents() -> str:
    rows = []
    seen = set()
    for board in BOARDS:
        own = board.active or board.asleep
        name = board.name if own else board.chip.name
        if name not in seen and (board.running or board.sleeping):
            seen.add(name)
            rows.append([name, *_current(board.running), *_current(board.sleeping)])
    return _table(["chip or board", "computing", "cited from", "asleep", "cited from"], rows)


def _current(current: Current | None) -> list[str]:
    return [f"{current.milliamps:g} mA at {current.volts:g} V", current.source] if current else ["-", "-"]


def doc_cores() -> str:
    rows = [[core.name, WHAT[core.counts], f"{core.cycles.value:g}", core.cycles.source] for core in CORES]
    return _table(["core", "counted and fitted", "times", "why"], rows)


def doc_errors() -> str:
    errors = costs.table()["errors"]
    names = list(next(iter(errors.values())))
    rows = [[WHAT[counts], *(f"{100 * found[name]:+.0f} %" for name in names)] for counts, found in errors.items()]
    return _table(["", *names], rows)


def doc_published() -> str:
    rows = []
    for entry in PUBLISHED:
        for short, rate in entry.rates.items():
            ours, theirs = modelled_milliseconds(entry.core, entry.clock_mhz, MODELS[short]), 1e3 / rate
            name = f"{entry.board}, {entry.core.name} at {entry.clock_mhz} MHz"
            rows.append([name, MODELS[short], f"{theirs:.3g}", f"{ours:.3g}", f"{100 * (ours / theirs - 1):+.0f} %"])
    return _table(["board", "model", "published, ms", "modelled for midge, ms", "difference"], rows)


def modelled_milliseconds(core: Core, clock_mhz: int, model: str) -> float:
    """Of all layers of a model in bench/counting/figures.json."""
    return costs.table()["models"][model][core.counts] * core.cycles.value / clock_mhz / 1e3


def doc_batteries() -> str:
    rows = [
        [f"`{key}`", b.name, f"{b.milliamp_hours:g} mAh", f"{b.volts:g} V", b.source] for key, b in BATTERIES.items()
    ]
    return _table(["", "battery", "capacity", "voltage", "cited from"], rows)
