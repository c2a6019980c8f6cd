"""Whether a model still works once it is quantised: run beside its source, over readings.

What is wrong comes out in words, with its cause and its cure, as `Proof.warnings`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..backends.machine import Machine
from ..device.model_file import ModelFile, TensorInfo
from ..files.readings import Readings
from ..ir import batch
from ..ir import operators as ir
from ..ir.graph import Graph
from . import inputs, scores
from .calibrate import chunks
from .layers import Layer
from .readings import encoded

READINGS = 200  # of the calibration at most; test readings are all run
LAYER_READINGS = 32  # for what is measured of layers
LEAST_AGREEMENT = 0.95
LEAST_DECIBELS = 10.0
CLEAR = 0.1  # between the chances of two classes
LOST = 0.01  # of the accuracy
MANY = 20  # readings that should not all be of one kind
FEW = 2  # readings that may go either way by chance
WORST = 3  # layers that are named


@dataclass
class LayerProof:
    """A layer beside that of the source. error: root of the mean squared error. saturated: share of values that lie
    beyond what the layer's type holds."""

    name: str
    operator: str
    decibels: float
    error: float
    largest: float
    saturated: float


@dataclass
class Proof:
    """count: readings that were run. agreement: share of them to which both models give the same answer, of a model
    that chooses; answers that lie within a step of the output's type are the same. accuracy, source_accuracy: with
    labels. error, source_error: mean squared errors, with labels that are values. decibels: signal-to-noise ratio of
    each output. layers: in the order in which they run. saturated: share of input values beyond the input's range.
    warnings: what is wrong, why, and what to do."""

    count: int
    where: str
    agreement: float | None = None
    accuracy: float | None = None
    source_accuracy: float | None = None
    error: float | None = None
    source_error: float | None = None
    decibels: list[float] = field(default_factory=list)
    layers: list[LayerProof] = field(default_factory=list)
    saturated: float = 0.0
    warnings: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """What was found, in a few plain words."""
        said = []
        if self.accuracy is not None:
            beside = "" if self.source_accuracy is None else f", {percent(self.source_accuracy)} before quantising"
            said.append(f"{percent(self.accuracy)} right{beside}")
        if self.error is not None:
            beside = "" if self.source_error is None else f", {self.source_error:.4g} before quantising"
            said.append(f"mean squared error {self.error:.4g}{beside}")
        if self.agreement is not None:
            said.append(f"{percent(self.agreement)} answered as before quantising")
        if self.decibels:
            outputs = ", ".join(f"{d:.0f} dB" if np.isfinite(d) else "exact" for d in self.decibels)
            worst = self.worst[0] if self.worst else None
            least = (
                f" (least in layer {worst.name}: {worst.decibels:.0f})" if worst and np.isfinite(worst.decibels) else ""
            )
            said.append(f"signal to noise {outputs}{least}")
        if self.saturated >= 0.001:
            said.append(f"{percent(self.saturated)} of the input values lie beyond its range")
        return [f"{self.where}, {counted(self.count, 'reading')}: {'; '.join(said)}"] if said else []

    @property
    def worst(self) -> list[LayerProof]:
        """The layers with the least signal-to-noise ratio, the least first."""
        return sorted(self.layers, key=lambda layer: layer.decibels)[:WORST]


@dataclass
class Source:
    """The model before it was quantised. graph: as it came in, which gives the outputs to compare with. layers: the
    same simplified, whose nodes have the names of the quantised model's; None where nothing is known of them. cure:
    what to do about losses."""

    graph: Graph
    layers: Graph | None = None
    cure: str = ": calibrate with more readings of every kind, prepared as for training, or try --precision auto"


def prove(
    source: Source | None,
    model: ModelFile,
    layers: Sequence[Layer] = (),
    calibration: Readings | None = None,
    test: Readings | None = None,
) -> Proof:
    """Runs `model` and what it was made from over `test`, or over `calibration`; at least one of them must be there.

    source: None for a model that was quantised elsewhere: then nothing is known of what it gave as floats.
    """
    readings = test or calibration
    if readings is None:
        raise ValueError("no readings")
    picked = pick(readings, model) if test is None else readings
    afresh = source is not None and not batch.is_stream(source.graph)
    got = _run_model(model, picked, afresh)
    wanted = _run_source(source.graph, picked) if source else None
    proof = Proof(len(picked), picked.where)
    proof.saturated = inputs.saturated(model.inputs, picked.inputs)
    chooses = _chooses(model, source, picked.labels)
    _measure(proof, model, picked, got, wanted, chooses)
    if source and source.layers is not None and layers:
        proof.layers = compare_layers(source.layers, model, layers, picked)
    if source:
        proof.warnings += inputs.wrong_pixels(source.graph, calibration or picked, model.labels)
    if not proof.warnings:
        proof.warnings += inputs.warnings(model.inputs, calibration, test)
    if not proof.warnings and wanted is not None and test is None and chooses:
        proof.warnings += _one_answer(wanted[0], picked.where)
    if source and wanted is not None:
        proof.warnings += _losses(proof, model, got, wanted, source.cure)
    return proof


def pick(readings: Readings, model: ModelFile, most: int = READINGS) -> Readings:
    """At most so many of them: evenly, or the first ones for a model that remembers."""
    count = len(readings)
    if count <= most:
        return readings
    chosen = np.arange(most) if model.init and not model.sound else np.linspace(0, count - 1, most).astype(int)
    labels = None if readings.labels is None else readings.labels[chosen]
    return Readings([x[chosen] for x in readings.inputs], labels, readings.classes, readings.where)


def _run_model(model: ModelFile, readings: Readings, afresh: bool) -> list[np.ndarray]:
    """(N, size) of each output, real values or numbers of classes. afresh: without memory of the readings before."""
    machine = Machine(model)
    rows = []
    for i in range(len(readings)):
        if afresh:
            machine.reset()
        rows.append(machine.predict([x[i] for x in readings.inputs]))
    return [t.real(np.stack([row[i].reshape(-1) for row in rows])) for i, t in enumerate(model.outputs)]


def _run_source(graph: Graph, readings: Readings) -> list[np.ndarray]:
    found: list[list[np.ndarray]] = [[] for _ in graph.outputs]
    for part in chunks(graph, readings.inputs):
        values = batch.run(graph, encoded(graph, part))
        for rows, edge in zip(found, graph.outputs, strict=True):
            rows.append(values[id(edge.tensor)].reshape(len(part[0]), -1))
    return [np.concatenate(rows) for rows in found]


def _chooses(model: ModelFile, source: Source | None, labels: np.ndarray | None) -> bool:
    """Whether the model's answer is a choice: labels say so, or its last layer, or a row of a few outputs."""
    if labels is not None:
        return labels.ndim == 1 and labels.dtype.kind in "iu"
    if len(model.outputs) != 1:
        return False
    output = model.outputs[0]
    if output.element == "int32":
        return True
    maker = source.graph.producer(source.graph.outputs[0].tensor) if source else None
    if isinstance(maker, ir.Scores):
        return maker.decision is not ir.Decision.NONE
    if isinstance(maker, (ir.Softmax, ir.LogSoftmax)) or output.size == 1:
        return output.size > 1 or isinstance(maker, ir.Logistic)
    return output.shape[-1] == output.size <= 1000 and all(output.size != t.size for t in model.inputs)


def _measure(
    proof: Proof,
    model: ModelFile,
    readings: Readings,
    got: list[np.ndarray],
    wanted: list[np.ndarray] | None,
    chooses: bool,
) -> None:
    if wanted is not None:
        for ours, theirs in zip(got, wanted, strict=True):
            ratio = scores.SignalToNoise()
            ratio.add(theirs, ours)
            proof.decibels.append(ratio.decibels)
        if chooses:
            proof.agreement = float(_agrees(wanted[0], got[0], _step(model.outputs[0])).mean())
    if chooses and readings.labels is not None:
        count = scores.class_count(got[0], model.labels, readings.labels)
        labels = readings.numbered(model.labels, count)
        if labels is not None:
            proof.accuracy = float(scores.right(got[0], labels).mean())
            proof.source_accuracy = float(scores.right(wanted[0], labels).mean()) if wanted else None
        return
    target = readings.labels
    if target is None and got[0].shape[1] == readings.inputs[0][0].size and readings.inputs[0].dtype == np.float32:
        target = readings.inputs[0]  # an autoencoder
    if target is not None and target.size == got[0].size:
        proof.error = scores.mean_squared_error(got[0], target)
        proof.source_error = scores.mean_squared_error(wanted[0], target) if wanted else None


def _step(output: TensorInfo) -> float:
    """Between two values of an output."""
    return 0.0 if output.element == "float32" else output.scale


def _agrees(source: np.ndarray, model: np.ndarray, step: float) -> np.ndarray:
    """(N,) bool: the same choice, or one between which the output's type has no step."""
    ours, theirs = scores.choices(model), scores.choices(source)
    if source.dtype.kind == "i":
        return ours == theirs
    if source.shape[1] == 1:
        return (ours == theirs) | (np.abs(source[:, 0] - model[:, 0]) <= step)
    rows = np.arange(len(source))
    return (ours == theirs) | (source[rows, theirs] - source[rows, ours] <= step)


def _is_clear(source: np.ndarray, model: np.ndarray) -> np.ndarray:
    """(N,) bool: the source's choice is more likely than the model's by more than CLEAR. Of models that are often in
    doubt a share of answers turns with every rounding, and no less often to the right one."""
    if source.dtype.kind == "i":
        return np.ones(len(source), bool)
    if source.shape[1] == 1:
        return np.abs(source[:, 0] - 0.5) > CLEAR / 2
    chances = source
    if source.min() < 0 or not np.allclose(source.sum(1), 1, atol=1e-3):
        powers = np.exp(source - source.max(1, keepdims=True))
        chances = powers / powers.sum(1, keepdims=True)
    rows = np.arange(len(source))
    return chances[rows, scores.choices(source)] - chances[rows, scores.choices(model)] > CLEAR


def compare_layers(source: Graph, model: ModelFile, layers: Sequence[Layer], readings: Readings) -> list[LayerProof]:
    """The layers that both have, in the order in which the model runs them."""
    nodes = {node.name: node.outputs[0] for node in source.nodes if len(node.outputs) == 1}
    at = {layer.record: layer for layer in layers if layer.name in nodes}
    ratios = {record: scores.SignalToNoise() for record in at}
    beyond = dict.fromkeys(at, 0)
    pairs: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {record: [] for record in at if at[record].rescaled}
    machine, afresh = Machine(model), not batch.is_stream(source)
    for part in chunks(source, [x[:LAYER_READINGS] for x in readings.inputs]):
        values = batch.run(source, encoded(source, part))
        for i in range(len(part[0])):
            if afresh:
                machine.reset()
            machine.enter([x[i] for x in part])
            for record in machine.steps():
                layer = at.get(record)
                if layer is None:
                    continue
                wanted = layer.of(values[id(nodes[layer.name])][i])
                got = layer.real(layer.stored(model, machine.arena))
                if wanted is None or wanted.size != got.size:
                    del at[record]
                    continue
                if layer.rescaled:
                    pairs[record].append((wanted, got))
                    continue
                ratios[record].add(wanted, got)
                low, high = layer.limits
                beyond[record] += int(((wanted < low - layer.scale) | (wanted > high + layer.scale)).sum())
    for record in pairs.keys() & at.keys():
        width = at[record].live.sum() if at[record].live.size else nodes[at[record].name].shape[-1]
        wanted, got = (
            np.concatenate([p.reshape(-1, width) for p in parts]) for parts in zip(*pairs[record], strict=True)
        )
        ratios[record].add(wanted, got * _factors(wanted, got))
    return [
        LayerProof(
            layer.name,
            model.operator(record).name,
            ratios[record].decibels,
            ratios[record].error,
            ratios[record].largest,
            beyond[record] / max(ratios[record].count, 1),
        )
        for record, layer in sorted(at.items())
    ]


def _one_answer(outputs: np.ndarray, where: str) -> list[str]:
    """Whether all of many readings are one kind to the float model: of the others the calibration knows nothing."""
    chances = outputs.shape[1] > 1 and outputs.min() >= 0 and np.allclose(outputs.sum(1), 1, atol=1e-3)
    if not chances or len(outputs) < MANY or outputs.std(0).max() >= inputs.STIFF:
        return []
    return [
        f"the calibration covers next to nothing: the float model gives all {len(outputs):,} readings of {where} the "
        "same answer; calibrate with readings of every class, prepared as for training"
    ]


def _factors(wanted: np.ndarray, got: np.ndarray) -> np.ndarray:
    """(channels,) what brings each channel of `got` next to that of `wanted`, both (rows, channels)."""
    squares = (got * got).sum(0)
    return (wanted * got).sum(0) / np.where(squares > 0, squares, 1)


def _losses(proof: Proof, model: ModelFile, got: list[np.ndarray], wanted: list[np.ndarray], cure: str) -> list[str]:
    """What the measured numbers say. What to do about it, unless the cause is known already."""
    worst = proof.worst
    if worst and worst[0].decibels < LEAST_DECIBELS:
        beyond = f", {percent(worst[0].saturated)} of its values beyond its range" if worst[0].saturated else ""
        cure = f", most of it in layer {worst[0].name} ({worst[0].decibels:.0f} dB{beyond}){cure}"
    cure = "" if proof.warnings else cure
    if proof.accuracy is not None and proof.source_accuracy is not None:
        lost = round((proof.source_accuracy - proof.accuracy) * proof.count)
        if lost >= FEW and lost > LOST * proof.count:
            was, now = percent(proof.source_accuracy), percent(proof.accuracy)
            return [f"quantising costs accuracy, {was} to {now} of {counted(proof.count, 'reading')}{cure}"]
        return []
    if proof.agreement is not None:
        clear = int((~_agrees(wanted[0], got[0], _step(model.outputs[0])) & _is_clear(wanted[0], got[0])).sum())
        if clear > FEW and clear > (1 - LEAST_AGREEMENT) * proof.count:
            same = f"only {percent(proof.agreement)} of the answers are those before quantising"
            return [f"{same}, and {clear:,} of the others were clear{cure}"]
    for tensor, decibels, ours, theirs in zip(model.outputs, proof.decibels, got, wanted, strict=False):
        if decibels < LEAST_DECIBELS and np.abs(theirs - ours).max() > _unavoidable(tensor):
            return [f"output {tensor.name} is {decibels:.0f} dB above its noise, {LEAST_DECIBELS:.0f} are needed{cure}"]
    return []


def _unavoidable(tensor: TensorInfo) -> float:
    """The error that an output of probabilities may have: its scale is given, and outputs that are all next to 0 lie
    between its steps."""
    steps = 256 if tensor.element == "int8" else 1 << 16
    return tensor.scale if abs(tensor.scale * steps - 1) < 0.01 and tensor.scale * steps <= 2 else 0.0


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(share: float) -> str:
    """With one decimal, and never rounded up to all."""
    return f"{np.floor(share * 1000 + 1e-9) / 10 if share > 0.999 else share * 100:.1f} %"
