"""The page of `midge report`: one file that asks for nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

from ..device.model_file import ModelFile
from ..errors import printable
from ..quantize.proof import LayerProof
from ..targets.catalogue import costs
from ..targets.catalogue.boards import Board
from . import drawings, lifetimes, memory, values
from .samples import Sample
from .templates import templates
from .values import Histogram

SIGN = {"init": "sets the state", "feed": "takes a step of the reading"}  # of records that are not of a prediction
HISTOGRAM = (192, 48)  # width and height
WIDEST = 20  # classes of which the confusions are a table
MOST_CONFUSED = 30  # of more classes: pairs that are listed


@dataclass(frozen=True)
class Table:
    """left: columns of words. notes: lines below."""

    header: list[str]
    rows: list[list[str]]
    left: tuple[str, ...]
    notes: list[str]


@dataclass(frozen=True)
class Tested:
    """What readings showed, `shown` of them of the activations. scored: what `midge test` finds, None without labels.
    inputs, activations: of the model's inputs, and by the number of a record. compared: the layers beside the source's,
    None without it; wrong: which of them goes wrong first; said: what `midge compare` says."""

    where: str
    readings: int
    shown: int
    notes: list[str]
    scored: dict[str, Any] | None
    samples: list[Sample]
    inputs: list[Histogram | None]
    activations: dict[int, Histogram]
    compared: list[LayerProof] | None
    wrong: int | None
    said: list[str]


def page(
    model: ModelFile,
    facts: dict[str, Any],
    tensors: int,
    boards: list[Board],
    catalogue: Table,
    tested: Tested | None = None,
) -> bytes:
    """The HTML. facts: those of `midge info`. tensors: bytes of the arena that are no scratch memory. boards: those of
    which memory and cycles are shown. catalogue: what all boards make of the model. Raises MidgeError where jinja2 is
    not installed."""
    environment = templates()
    environment.filters["bars"] = lambda histogram: drawings.bars(histogram.counts.tolist(), *HISTOGRAM)
    lives = lifetimes.lifetimes(model)
    used = lives.used()
    text = environment.get_template("page.html").render(
        facts=facts,
        graph=drawings.graph(model, lives, facts["layers"]),
        arena=drawings.arena(model, lives),
        busiest=max(range(len(used)), key=used.__getitem__) if used else None,
        used=used,
        lives=lives,
        budgets=memory.budgets(model, boards, tensors),
        parts=memory.PARTS,
        layers=_layers(model, facts["layers"], boards),
        errors=costs.errors_of(boards[0].chip.core.counts),
        catalogue=catalogue,
        values=_values(model, tested),
        histogram=HISTOGRAM,
        infinity=inf,
        tested=tested,
        confusions=_confusions(tested.scored) if tested and tested.scored else [],
        widest=WIDEST,
    )
    return printable(text).encode("utf-8")


def _layers(model: ModelFile, layers: list[dict[str, Any]], boards: list[Board]) -> dict[str, Any]:
    """The columns of cycles, a row for each layer, sums of a prediction. Cycles that are not known are None, and
    a sum without them begins with ">". most: cycles of any layer on the first core."""
    cores = list({board.chip.core.name: board.chip.core for board in boards}.values())
    rows = []
    for index, layer in enumerate(layers):
        work = costs.work_of(model.records[index])
        found = [(costs.cost(core.counts, work), core.cycles.value) for core in cores]
        cycles = [None if cost is None else round(cost * each) for cost, each in found]
        sign = next((SIGN[kind] for kind in SIGN if index in model.entries.get(kind, ())), "")
        output = model.records[index]["output_bytes"]
        rows.append({**layer, "index": index, "cycles": cycles, "sign": sign, "output_bytes": output})
    predicted = [row for row in rows if row["index"] in model.predict]
    columns = list(zip(*(row["cycles"] for row in predicted), strict=True)) or [()] * len(cores)
    sums = [f"{'> ' if None in column else ''}{sum(c or 0 for c in column):,}" for column in columns]
    most = max((row["cycles"][0] or 0 for row in rows), default=0) or 1
    return {"cores": [core.name for core in cores], "rows": rows, "sums": sums, "most": most}


def _values(model: ModelFile, tested: Tested | None) -> list[dict[str, Any]]:
    """A row for each input and layer with histograms: its name, and those of weights and activations, or None."""
    weights = values.weights(model)
    rows: list[dict[str, Any]] = []
    if tested:
        pairs = zip(model.inputs, tested.inputs, strict=True)
        rows += [{"name": t.name, "text": "input", "weights": None, "activations": h} for t, h in pairs if h]
    for i, name in enumerate(model.names):
        found = weights.get(i), tested.activations.get(i) if tested else None
        if any(found):
            text = f"{i} {model.operator(i).name}"
            rows.append({"name": name, "text": text, "weights": found[0], "activations": found[1]})
    return rows


def _confusions(scored: dict[str, Any]) -> list[tuple[str, str, int]]:
    """Pairs of classes with how often the first was taken for the second, the most first."""
    table, names = scored.get("confusion", []), scored.get("classes", [])
    pairs = [(n, i, j) for i, row in enumerate(table) for j, n in enumerate(row) if n and i != j]
    return [(names[i], names[j], n) for n, i, j in sorted(pairs, key=lambda pair: -pair[0])[:MOST_CONFUSED]]
