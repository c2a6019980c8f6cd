"""The tables of docs/performance.md, made from figures.json and the native modules' manifest."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from midge_host import generate

from .armv6m import CLOCK_HZ
from .figures import CYCLES, DEPTHWISE, MODELS, SHAPES, WHOLE, WINDOWED, Figure, Figures

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "performance.md"
MANIFEST = ROOT / "native_modules" / "prebuilt" / "manifest.json"
TITLES = {
    "vww_96_int8": "person detection (MLPerf Tiny VWW)",
    "kws_ref_model": "keyword spotting (MLPerf Tiny)",
    "pretrainedResnet_quant": "image classification (MLPerf Tiny)",
    "ad01_int8": "anomaly detection (MLPerf Tiny)",
    "person_detect": "person detection (TFLM)",
    "str_ww_ref_model": "streaming wake word (MLPerf Tiny)",
    "mnist_cnn_int8": "digits",
}
# What is counted besides the cycles of the Cortex-M0+: columns of the tables, by their keys in the figures.
OTHERS = {
    "armv7emsp": "M33 instructions",
    CYCLES: "M33 cycles, estimated",
    "rv32imc": "RV32 instructions",
    "xtensawin": "Xtensa instructions",
}
POINTWISE = "6x6x128 → 6x6x128, 1x1"
FIRST = "96x96x3 → 48x48x8, 3x3 /2"
# The same layer with 32 and with 64 inputs: what is left at none is what an output costs besides its sum.
NARROW, WIDE = "12x12x32 → 12x12x64, 1x1", "12x12x64 → 12x12x64, 1x1"


def render(text: str, figures: Figures) -> str:
    """The page with its tables made anew."""
    return generate.fill(
        text,
        {
            "totals": lambda: totals(figures),
            "compared": lambda: compared(figures),
            "plain": lambda: plain(figures),
            "module": module,
            "layers": lambda: layer_tables(figures),
        },
    )


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def total(rows: Iterable[Figure], key: str) -> int:
    return sum(row[key] for row in rows)


def by_mac(count: float, macs: int) -> str:
    return f"{count / macs:.2f}" if macs else "-"


def totals(figures: Figures) -> str:
    rows = []
    for name in MODELS:
        if name == SHAPES:
            continue
        layers = figures.models[name]
        macs, cycles = total(layers, "macs"), total(layers, "armv6m")
        row = [f"{name}: {TITLES[name]}", f"{macs:,}", f"{cycles:,}", f"{1e3 * cycles / CLOCK_HZ:,.1f}"]
        row.append(by_mac(cycles, macs))
        for key in OTHERS:
            row += [f"{total(layers, key):,}", by_mac(total(layers, key), macs)]
        rows.append(row)
    header = ["model", "MACs", "cycles", "ms at 125 MHz", "cycles/MAC"]
    return table([*header, *others(str)], rows)


def others(name: Callable[[str], str]) -> list[str]:
    """Heads of the columns of OTHERS."""
    return [head for title in OTHERS.values() for head in (name(title), "/MAC")]


def find(figures: Figures, operator: str, shape: str) -> Figure:
    return next(row for row in figures.models[SHAPES] if (row["operator"], row["shape"]) == (operator, shape))


def besides(figures: Figures) -> float:
    """Cycles of an output besides its multiply-accumulates."""
    narrow, wide = (find(figures, "CONV_2D", shape) for shape in (NARROW, WIDE))
    return (2 * narrow["armv6m"] - wide["armv6m"]) / wide["outputs"]


def compared(figures: Figures) -> str:
    """Our cycles and those known of others."""
    cmsis = "CMSIS-NN in C, -O3, same counter"
    vww = [row for row in figures.models[WHOLE] if row["operator"] in WINDOWED]
    rows = [
        ("VWW, convolutions, the same work: million cycles", figures.all_channels / 1e6, 119.3, cmsis),
        ("VWW, convolutions, as midge converts it: million cycles", total(vww, "armv6m") / 1e6, 119.3, cmsis),
    ]
    for what, operator, shape, known in (
        ("pointwise 128 → 128 at 6x6: cycles/MAC", "CONV_2D", POINTWISE, 9.0),
        ("depthwise 3x3, 8 channels at 48x48: cycles/MAC", "DEPTHWISE_CONV_2D", DEPTHWISE, 59),
        ("first convolution, 3x3x3 → 8 at 96x96 /2: cycles/MAC", "CONV_2D", FIRST, 19.5),
    ):
        row = find(figures, operator, shape)
        rows.append((what, row["armv6m"] / row["macs"], known, cmsis))
    in_c = "TFLM's requantisation alone, in C"
    rows.append(("requantisation, an output: cycles", figures.requantisation, 115, in_c))
    rows.append(("an output besides its MACs: cycles", besides(figures), 115, in_c))
    for what, model, known, whose in (
        ("KWS, all layers: cycles/MAC", "kws_ref_model", 11.4, "best known on a Cortex-M0+"),
        ("ResNet, all layers: cycles/MAC", "pretrainedResnet_quant", 7.8, "best known on a Cortex-M0+"),
        ("AD, all layers: cycles/MAC", "ad01_int8", 9.9, "best known on a Cortex-M0+"),
        ("person_detect, all layers: cycles/MAC", "person_detect", 14.4, "pico-tflmicro, on the chip"),
    ):
        layers = figures.models[model]
        rows.append((what, total(layers, "armv6m") / total(layers, "macs"), known, whose))
    lines = [[what, f"{ours:.1f}", f"{known:.1f}", f"{known / ours:.2f}", whose] for what, ours, known, whose in rows]
    return table(["", "midge", "known", "times as fast", "what is known"], lines)


# Layers of `plain.c` and `depthwise_plain.c` on a Cortex-M0+: what they are, the operator, a pattern of the shape.
PLAIN = (
    ("fully connected, 640 inputs", "FULLY_CONNECTED", r"640 → "),
    ("fully connected, 128 inputs", "FULLY_CONNECTED", r"128 → "),
    ("fully connected, 64 inputs or fewer", "FULLY_CONNECTED", r"\d\d? → "),
    ("depthwise 5x5 and 7x7", "DEPTHWISE_CONV_2D", r".*, (5x5|7x7)"),
    ("depthwise kx1, of streaming models", "DEPTHWISE_CONV_2D", r".*, \d+x1$"),
)


def plain(figures: Figures) -> str:
    """The range of what layers without a kernel of their own take."""
    rows = []
    for what, operator, shape in PLAIN:
        found = [
            row["armv6m"] / row["macs"]
            for layers in figures.models.values()
            for row in layers
            if row["operator"] == operator and re.match(shape, row["shape"])
        ]
        rows.append([what, f"{min(found):.1f} to {max(found):.1f}"])
    return table(["layers", "cycles/MAC"], rows)


def module() -> str:
    text = json.loads(MANIFEST.read_text())["midge_core-armv6m"]["text"]
    return f"The native module for armv6m has {text:,} bytes of code, all kernels included.\n"


def layer_tables(figures: Figures) -> str:
    parts = []
    for name in (*MODELS[1:], SHAPES):
        title = f"{name}: {TITLES[name]}" if name in TITLES else "Shapes by themselves"
        header = ["#", "operator", "shape", "MACs", "cycles", "/MAC"]
        header += others(lambda title: title.removesuffix(" instructions").removesuffix(", estimated"))
        rows = []
        for index, row in enumerate(figures.models[name]):
            line = [str(index), row["operator"], row["shape"], f"{row['macs']:,}" if row["macs"] else "-"]
            for key in ("armv6m", *OTHERS):
                line += [f"{row[key]:,}", by_mac(row[key], row["macs"])]
            rows.append(line)
        parts.append(f"### {title}\n\n{table(header, rows)}")
    return "\n".join(parts)
