"""What the tensors of a graph of floats hold while it runs on typical readings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import MidgeError
from ..ir import batch
from ..ir import operators as ir
from ..ir.evaluate import lstm_states
from ..ir.graph import Graph, Tensor

BINS = 2048
MAX_READINGS = 512  # more say nothing new about ranges
FEW_ELEMENTS = 1 << 24  # of all tensors of the readings that outputs are compared by
CHUNK_BYTES = 64 << 20  # of all values that readings which run together have

NEEDED = (
    "give --calibration DATA: 50 to 500 typical readings, prepared as the model was trained with them "
    "(.npz, .npy, .csv or a folder)"
)


@dataclass(eq=False)
class Histogram:
    """How often a tensor's values fall into BINS equal parts of low..high, both of which include 0.

    channels: the smallest and the largest value of each index of the last axis.
    """

    low: float
    high: float
    counts: np.ndarray
    channels: np.ndarray

    def merged(self, other: Histogram) -> Histogram:
        """Of both tensors' values. Channels are this one's."""
        low, high = min(self.low, other.low), max(self.high, other.high)
        counts = np.zeros(BINS, np.int64)
        for part in (self, other):
            if part.high > part.low:
                centres = part.low + (np.arange(BINS) + 0.5) * (part.high - part.low) / BINS
                at = np.clip(((centres - low) / (high - low) * BINS).astype(np.int64), 0, BINS - 1)
                np.add.at(counts, at, part.counts)
        return Histogram(low, high, counts, self.channels)


def of_values(values: np.ndarray) -> Histogram:
    channels = np.stack([of_channels(np.min, values), of_channels(np.max, values)]).astype(np.float64)
    made = Histogram(min(0.0, float(channels.min())), max(0.0, float(channels.max())), np.zeros(BINS, int), channels)
    _count(made, values)
    return made


def of_channels(function: Callable[..., np.ndarray], values: np.ndarray) -> np.ndarray:
    """A function over all axes but the last: over the first one first, since NumPy is slow in rows of few channels."""
    rows = values.reshape(len(values) if values.ndim > 1 else 1, -1)
    return function(function(rows, axis=0).reshape(-1, values.shape[-1] if values.ndim else 1), axis=0)


def _count(histogram: Histogram, values: np.ndarray) -> None:
    if histogram.high > histogram.low:
        histogram.counts += np.histogram(values, BINS, (histogram.low, histogram.high))[0]


@dataclass(eq=False)
class Calibration:
    """readings: (N, *shape) for each input. histograms: by the id of the tensor, of every computed tensor of floats,
    of inputs, and of states."""

    readings: list[np.ndarray]
    histograms: dict[int, Histogram]

    def of(self, tensor: Tensor) -> Histogram:
        """Of a computed tensor, or of a constant."""
        return self.histograms[id(tensor)] if tensor.data is None else of_values(tensor.data)


def _sizes(shape: Sequence[int]) -> list[int]:
    return [n for n in shape if n != 1]


def check_readings(graph: Graph, readings: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Readings (N, *shape) for each input, at most MAX_READINGS of them, spread evenly.

    Raises MidgeError where there are none, not as many for each input, of another shape, or not finite.
    """
    if not len(readings):
        raise MidgeError(f"{graph.name}: a model of floats, whose scales only typical readings can tell; {NEEDED}")
    if len(readings) != len(graph.inputs):
        raise MidgeError(f"calibration: {len(readings)} inputs, the model has {len(graph.inputs)}; {NEEDED}")
    checked = []
    for edge, values in zip(graph.inputs, readings, strict=True):
        values, shape = np.asarray(values), edge.tensor.shape
        where = f"calibration: input {edge.name!r}"
        if not values.ndim or not len(values) or not values.size:
            raise MidgeError(f"{where} has no readings; {NEEDED}")
        if len(values) != len(readings[0]):
            raise MidgeError(f"{where} has {len(values)} readings, the first input {len(readings[0])}; give as many")
        if _sizes(values.shape[1:]) != _sizes(shape):
            raise MidgeError(f"{where} has shape {values.shape}, but (N, {', '.join(map(str, shape[1:]))}) is needed")
        if values.dtype.kind not in "fiub":
            raise MidgeError(f"{where} is of {values.dtype}; give numbers")
        values = values.reshape(-1, *shape).astype(edge.tensor.dtype)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values).reshape(len(values), -1).all(1)))
            raise MidgeError(f"{where}: reading {row} holds NaN or infinity; check the data")
        checked.append(values)
    if all((values == values.reshape(-1)[0]).all() for values in checked):
        raise MidgeError(f"calibration: every value is {checked[0].reshape(-1)[0]:g}, which tells no ranges; {NEEDED}")
    count = len(checked[0])
    if count > MAX_READINGS and not batch.is_stream(graph):
        chosen = np.linspace(0, count - 1, MAX_READINGS).round().astype(int)
        checked = [values[chosen] for values in checked]
    return checked


def few(graph: Graph, readings: list[np.ndarray], parts: int = 1, times: int = 1) -> list[np.ndarray]:
    """Some of the readings, spread evenly: enough to compare outputs by, and not many where the model is large. parts:
    of how many that are compared together these are one. times: so many more of them."""
    each = max(1, sum(t.size for node in graph.nodes for t in node.outputs))
    count, wanted = len(readings[0]), int(np.clip(FEW_ELEMENTS // each, 16, 128)) * times // parts
    if count <= wanted or batch.is_stream(graph):
        return readings
    chosen = np.linspace(0, count - 1, wanted).round().astype(int)
    return [values[chosen] for values in readings]


def calibrate(graph: Graph, readings: list[np.ndarray]) -> Calibration:
    """Two runs, of which the first finds the ranges; one, if the values of all readings fit into memory."""
    histograms: dict[int, Histogram] = {}
    whole = list(_runs(graph, readings)) if len(list(chunks(graph, readings))) == 1 else None
    for values in whole or _runs(graph, readings):
        for key, value in values.items():
            made = of_values(value)
            known = histograms.get(key)
            if known is None:
                histograms[key] = made
            else:
                channels = np.stack(
                    [np.minimum(known.channels[0], made.channels[0]), np.maximum(known.channels[1], made.channels[1])]
                )
                low, high = min(known.low, made.low), max(known.high, made.high)
                histograms[key] = Histogram(low, high, known.counts, channels)
    for histogram in histograms.values():
        histogram.counts = np.zeros(BINS, np.int64)
    for values in whole or _runs(graph, readings):
        for key, value in values.items():
            _count(histograms[key], value)
    return Calibration(readings, histograms)


def chunks(graph: Graph, readings: list[np.ndarray]) -> Iterator[list[np.ndarray]]:
    """As many readings as may run together."""
    each = sum(t.bytes for node in graph.nodes for t in node.outputs) * 2
    size = len(readings[0]) if batch.is_stream(graph) else max(1, CHUNK_BYTES // max(each, 1))
    for at in range(0, len(readings[0]), size):
        yield [values[at : at + size] for values in readings]


def _runs(graph: Graph, readings: list[np.ndarray]) -> Iterator[batch.Values]:
    """The values of all tensors of floats, readings by readings. Raises UnsupportedError for those beyond floats."""
    for part in chunks(graph, readings):
        values = batch.run(graph, part)
        for node in graph.nodes:
            if isinstance(node, ir.Lstm):
                _add_states(node, values)
        named: dict[int, Tensor] = {id(t): t for node in graph.nodes for t in [*node.inputs, *node.outputs]}
        floats = {key: value for key, value in values.items() if key in named and value.dtype == np.float32}
        for key, value in floats.items():
            if not np.isfinite(value).all():
                maker = graph.producer(named[key])
                if maker is not None:
                    raise maker.refuse("its results are NaN or infinite for the calibration data", "check the readings")
        yield floats


def _add_states(node: ir.Lstm, values: batch.Values) -> None:
    """The states after every step, (all, *shape): what the evaluator gives are those after the last one."""
    sources = values[id(node.source)]
    hidden, cell = (
        np.zeros((len(sources) * t.shape[0], t.size // t.shape[0]), np.float32) for t in (node.hidden, node.cell)
    )
    kernels, recurrent, biases = (
        [np.asarray(t.data) for t in group] for group in (node.kernels, node.recurrent, node.biases)
    )
    if node.time_major:
        sources = sources.swapaxes(0, 1).reshape(node.source.shape[0], -1, node.source.shape[2])
    else:
        sources = sources.reshape(-1, *node.source.shape[1:])
    hiddens, cells = lstm_states(node, sources, kernels, recurrent, biases, hidden, cell)
    values[id(node.hidden)] = hiddens.reshape(-1, *node.hidden.shape)
    values[id(node.cell)] = cells.reshape(-1, *node.cell.shape)
