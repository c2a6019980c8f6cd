"""Fits the model of a layer's cost (midge_host/targets/catalogue/costs.py) to counted layers and writes costs.json.

    cd bench && python -m counting.costs            from figures.json and what costs.json has of other layers
    cd bench && python -m counting.costs --count    counts those other layers anew

A factor is never negative; errors weigh as shares of what was counted, to the power that lets large layers lead. The
errors that are written are of whole models by a fit that knows the others only.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "support"))

from midge_host.device.registry import BY_NAME
from midge_host.targets.catalogue import costs
from midge_host.targets.catalogue.costs import Work
from tflite_models import one_operator

from . import armv7emsp, figures, shapes
from .counters import COUNTERS
from .figures import CYCLES, SHAPES, Figure
from .layers import Layer
from .shapes import RELU, X_SCALE, Maker, Shape, conv, dense, depthwise, simple

PATH = Path(costs.__file__).with_name("costs.json")
COUNTS = ("armv6m", CYCLES, "rv32imc", "xtensawin")
MODELS = ("magic_wand", "micro_speech_quantized")  # that figures.json does not have
EMPHASIS = 0.75  # 1: every layer counts the same by its share; 0: by its cycles


def _simple(operator: str, parameters: dict[str, Any], inputs: int = 1) -> list[Shape]:
    """A small and a large layer without weights; the inputs have one quantisation."""
    second = {"second_quant": (X_SCALE, RELU)} if inputs == 2 else {}

    def maker(shape: tuple[int, ...]) -> Maker:
        return lambda rng: one_operator(operator, shape, (X_SCALE, RELU), **second, **parameters)

    return [Shape(maker(shape)) for shape in ((1, 6, 6, 4), (1, 24, 24, 8))]


# Layers of kinds of which figures.json has none or too few, small and large.
OTHERS = (
    Shape(simple("logistic", (1, 64), (0.05, 3))),
    Shape(simple("logistic", (1, 4096), (0.05, 3))),
    Shape(depthwise((49, 40), 8, 2, kernel=(10, 8), inputs=1)),
    Shape(depthwise((28, 28), 8, 2, inputs=1)),
    Shape(depthwise((96, 96), 16, 2, inputs=1)),
    Shape(depthwise((32, 32), 8, kernel=(5, 5), inputs=1)),
    Shape(depthwise((30, 1), 40, kernel=(5, 1))),
    Shape(depthwise((16, 1), 128, kernel=(9, 1))),
    Shape(depthwise((8, 8), 16, kernel=(5, 5))),
    Shape(conv((128, 3), (1, 8), (4, 3))),
    Shape(conv((42, 1), (8, 16), (4, 1))),
    Shape(conv((28, 28), (1, 16), (5, 5))),
    Shape(conv((28, 28), (1, 8), (3, 3))),
    Shape(conv((28, 28), (1, 32), (3, 3))),
    Shape(conv((28, 28), (1, 4), (3, 3), 2)),
    Shape(conv((28, 28), (1, 16), (3, 3), 2)),
    Shape(conv((96, 96), (1, 8), (3, 3), 2)),
    Shape(conv((32, 32), (1, 16), (5, 5), 2)),
    Shape(conv((98, 40), (1, 8), (8, 4), 2)),
    Shape(conv((64, 3), (1, 16), (4, 3))),
    Shape(conv((50, 6), (1, 8), (5, 3))),
    Shape(conv((100, 1), (1, 16), (5, 1))),
    Shape(conv((1, 1), (64, 32))),
    Shape(conv((1, 1), (256, 10))),
    Shape(simple("max_pool_2d", (1, 48, 48, 8), (X_SCALE, RELU), window=(2, 2), padding="VALID")),
    Shape(simple("max_pool_2d", (1, 128, 3, 8), (X_SCALE, RELU), window=(3, 3), padding="VALID", strides=(3, 3))),
    Shape(simple("mean", (1, 16, 16, 8), axes=(1, 2), quant=(0.01, RELU))),
    Shape(simple("softmax", (1, 1000), (0.1, 0))),
    Shape(dense(4000, 4)),
    Shape(dense(1000, 10)),
    Shape(dense(30, 30)),
    Shape(dense(561, 24)),
    *_simple("pad", {"paddings": ((0, 0), (1, 1), (1, 1), (0, 0))}),
    *_simple("transpose", {"permutation": (0, 3, 1, 2)}),
    *_simple("slice", {"begin": (0, 1, 0, 0), "size": (1, 5, 6, 4)}),
    *_simple("mul", {"quant": (0.05, 4)}, 2),
    *_simple("sub", {"quant": (0.05, 4)}, 2),
    *_simple("resize_nearest_neighbor", {"size": (12, 12)}),
    *_simple("resize_bilinear", {"size": (12, 12)}),
)

Factors = dict[str, dict[str, dict[str, float]]]


def work(figure: Figure) -> Work:
    """The sizes that a figure's text tells."""
    source, output = (tuple(map(int, text.split("x"))) for text in re.findall(r"[\dx]+", figure["shape"])[:2])
    window = re.search(r", (\d+)x(\d+)", figure["shape"])
    if prod(output) != figure["outputs"]:  # a text without the batch
        output = (figure["outputs"] // output[-1], output[-1])
    return Work(
        figure["operator"], source, output, (int(window[1]), int(window[2])) if window else (1, 1), figure["macs"]
    )


def fit(rows: Sequence[Figure]) -> Factors:
    """Factors by what was counted, kind and size."""
    by_kind: dict[str, list[Figure]] = {}
    for row in rows:
        by_kind.setdefault(work(row).kind, []).append(row)
    factors: Factors = {}
    for counts in COUNTS:
        factors[counts] = {}
        for kind, some in sorted(by_kind.items()):
            names = list(work(some[0]).sizes)
            sizes = np.array([[work(row).sizes[name] for name in names] for row in some], float)
            counted = np.array([row[counts] for row in some], float)
            weights = counted**-EMPHASIS
            scale = sizes.max(0)
            found, _ = nnls(sizes / scale * weights[:, None], counted * weights)
            factors[counts][kind] = {n: float(f"{x:.5g}") for n, x in zip(names, found / scale, strict=True) if x}
    return factors


def error(rows: Sequence[Figure], counts: str, factors: Factors) -> float:
    """Of all layers together, as a share of what was counted."""
    modelled = sum(costs.cost(counts, work(row), factors) or 0 for row in rows)
    return modelled / sum(row[counts] for row in rows) - 1


def table(known: figures.Figures, others: dict[str, list[Figure]]) -> dict[str, Any]:
    """What costs.json holds."""
    models = {SHAPES: known.models[SHAPES] + others[SHAPES]}
    models |= {name: rows for some in (known.models, others) for name, rows in some.items() if name != SHAPES}
    errors: dict[str, dict[str, float]] = {counts: {} for counts in COUNTS}
    for name in models:
        if name != SHAPES:
            rest = fit([row for other, rows in models.items() if other != name for row in rows])
            for counts in COUNTS:
                errors[counts][name] = round(error(models[name], counts, rest), 3)
    everything = [row for rows in models.values() for row in rows]
    totals = {
        name: {counts: sum(row[counts] for row in rows) for counts in COUNTS}
        for name, rows in models.items()
        if name != SHAPES
    }
    return {"factors": fit(everything), "errors": errors, "models": totals, "others": others}


def count(layers: list[Layer]) -> list[Figure]:
    """Of each layer by the kernels of its bank."""
    rows = [figures.describe(layer) for layer in layers]
    by_bank: dict[str, list[int]] = {}
    for i, layer in enumerate(layers):
        by_bank.setdefault(BY_NAME[layer.operator, "int8"].bank.name, []).append(i)
    for arch, counter in COUNTERS.items():
        for bank, chosen in by_bank.items():
            program, some = counter.assemble(bank=bank), [layers[i] for i in chosen]
            for i, number in zip(chosen, counter.count(program, some), strict=True):
                rows[i][arch] = number
            if counter is armv7emsp:
                for i, effort in zip(chosen, armv7emsp.measure(program, some), strict=True):
                    rows[i][CYCLES] = effort.cycles
    return rows


def count_others() -> dict[str, list[Figure]]:
    return {SHAPES: count(shapes.layers(OTHERS))} | {name: count(figures.load_layers(name)) for name in MODELS}


def dump(found: dict[str, Any]) -> str:
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def update(anew: bool = False) -> None:
    others = count_others() if anew else costs.table()["others"]
    PATH.write_text(dump(table(figures.read(), others)), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", action="store_true", help="count the layers that figures.json lacks")
    update(parser.parse_args().count)
