"""Whether a model's inputs suit the readings: what calibration covered, and how many steps the readings use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..device.model_file import TensorInfo
from ..files.readings import Readings
from ..ir import batch
from ..ir import operators as ir
from ..ir.graph import Graph, Tensor
from . import scores
from .calibrate import chunks

LEAST_STEPS = 16  # that a channel of an input should use
SATURATED = 0.01  # share of input values that may lie beyond the range
ALIKE = 1e-4  # of the largest value: readings that differ by less are one reading
BETTER = 0.05  # of the accuracy: pixels in another range are then what the model knows
# Between the two largest of a model's logits: more than it learns to tell, and what it does learn.
ABSURD_MARGIN, USUAL_MARGIN = 60.0, (0.5, 40.0)
STIFF, LIVELY = 0.02, 0.1  # standard deviation of a probability over readings
PIXEL_READINGS = 50


def saturated(tensors: Sequence[TensorInfo], values: Sequence[np.ndarray]) -> float:
    """The share of real input values that lie beyond the input's range by more than a step."""
    beyond = total = 0
    for tensor, x in zip(tensors, values, strict=True):
        if x.dtype == np.float32 and tensor.element != "float32":
            low, high = _range(tensor)
            beyond += int(((x < low) | (x > high)).sum())
            total += x.size
    return beyond / total if total else 0.0


def _range(tensor: TensorInfo) -> tuple[np.ndarray, np.ndarray]:
    """The real values that the input holds, with a step more at both ends, of all channels or of each."""
    limits = np.iinfo(tensor.element)
    scale = np.array(tensor.channel_scales or tensor.scale, np.float64)
    zero_point = np.array(tensor.channel_zero_points or tensor.zero_point)
    return scale * (limits.min - 1 - zero_point), scale * (limits.max + 1 - zero_point)


def tells_nothing(calibration: Readings) -> list[str]:
    """What makes a calibration useless, whatever the model, in words."""
    said = []
    for i, values in enumerate(calibration.inputs):
        which = f" of input {i}" if len(calibration.inputs) > 1 else ""
        low, high = float(values.min()), float(values.max())
        if low == high:
            what = f"all values{which} are {low:g}"
        elif len(values) > 1 and np.ptp(values, axis=0).max() <= ALIKE * max(abs(low), abs(high)):
            what = f"all readings{which} are the same one"
        else:
            continue
        cure = "calibrate with a hundred or more typical readings, prepared as for training"
        said.append(f"the calibration tells nothing: {what} in {calibration.where}; {cure}")
    return said


def warnings(tensors: Sequence[TensorInfo], calibration: Readings | None, test: Readings | None) -> list[str]:
    """What is wrong with the ranges of the model's inputs, in words."""
    said: list[str] = []
    for i, tensor in enumerate(tensors):
        if tensor.element == "float32":
            continue
        learnt = calibration.inputs[i] if calibration else None
        tried = test.inputs[i] if test else None
        if tried is not None and tried.dtype == np.float32:
            said += _beyond(tensor, tried, learnt)
        if not said:
            used = tried if tried is not None else learnt
            if used is not None and used.dtype == np.float32:
                said += _coarse(tensor, used, learnt)
    return said


def _beyond(tensor: TensorInfo, tried: np.ndarray, learnt: np.ndarray | None) -> list[str]:
    """Test readings that reach further than the input."""
    share = saturated([tensor], [tried])
    if share <= SATURATED:
        return []
    low, high = _range(tensor)
    covered = f"{low.min():.4g} to {high.max():.4g}"
    what = f"{share:.0%} of the test's values lie beyond what input {tensor.name} holds ({covered})"
    if learnt is not None and _is_unit(learnt) and _is_pixels(tried):
        return [
            f"{what}: the calibration looks like pixels of 0..1, the test like pixels of 0..255; "
            "prepare both as for training"
        ]
    cure = "calibrate with readings of the same kind" if learnt is not None else "prepare the readings as for training"
    return [f"{what}, they run from {tried.min():.4g} to {tried.max():.4g}; {cure}"]


def _coarse(tensor: TensorInfo, values: np.ndarray, learnt: np.ndarray | None) -> list[str]:
    """Channels, of the last dimension, that use but a few steps though they have more values."""
    count = tensor.shape[-1] if tensor.shape else 1
    channels = values.reshape(-1, count).astype(np.float64)
    spans = np.ptp(channels, axis=0) / np.array(tensor.channel_scales or tensor.scale, np.float64) + 1
    few = [c for c in np.flatnonzero(spans < LEAST_STEPS) if len(np.unique(channels[:, c])) > spans[c] + 1]
    if not few:
        return []
    worst = min(few, key=lambda c: spans[c])
    all_of_them = len(few) == count
    which = "all of it" if all_of_them else f"{len(few)} of {count} channels, as channel {worst}"
    what = f"input {tensor.name}: {which}, uses {spans[worst]:.0f} of {_steps(tensor)} steps"
    if learnt is not None and learnt is not values and all_of_them:
        ranges = f"{learnt.min():.4g} to {learnt.max():.4g}, the test {values.min():.4g} to {values.max():.4g}"
        pixels = (
            "it looks like pixels of 0..255, the test like 0..1: " if _is_pixels(learnt) and _is_unit(values) else ""
        )
        return [f"{what}, as the calibration runs from {ranges}; {pixels}prepare both as for training"]
    return [
        f"{what}, as others have far larger values; scale the channels alike before training, "
        "or begin the model with a Normalization layer"
    ]


def _steps(tensor: TensorInfo) -> str:
    limits = np.iinfo(tensor.element)
    return f"{int(limits.max) - int(limits.min) + 1:,}"


def _is_pixels(values: np.ndarray) -> bool:
    """Of 0..255, and more than classes or small counts."""
    return bool(values.min() >= 0 and 32 < values.max() < 255.5)


def _is_unit(values: np.ndarray) -> bool:
    return bool(values.min() >= 0 and 0.5 < values.max() <= 1)


def wrong_pixels(graph: Graph, readings: Readings, names: Sequence[str]) -> list[str]:
    """Whether the readings look like pixels of 0..255 where the float model was trained on 0..1, or the reverse.

    With labels, the float model's own accuracy tells. Without, what a trained model does not do: logits that are
    hundreds apart, or probabilities that hardly move whatever it sees, while the other range gives neither.
    """
    if len(readings.inputs) != 1:
        return []
    values = readings.inputs[0]
    if _is_pixels(values):
        factor, given, other = 1 / 255, "0..255", "0..1"
    elif _is_unit(values):
        factor, given, other = 255.0, "0..1", "0..255"
    else:
        return []
    chosen = np.linspace(0, len(values) - 1, min(len(values), PIXEL_READINGS)).astype(int)
    shaped = values[chosen].reshape(-1, *graph.inputs[0].tensor.shape)
    as_given, as_other = (_run(graph, shaped * np.float32(f)) for f in (1, factor))
    what = f"the readings of {readings.where} look like pixels of {given}, where the model was trained on {other}"
    cure = "prepare them as for training"
    if readings.labels is not None and readings.labels.ndim == 1 and readings.labels.dtype.kind in "iu":
        outputs = as_given[0], as_other[0]
        labels = readings.numbered(names, scores.class_count(outputs[0], names, readings.labels))
        if labels is not None:
            was, would = (float(scores.right(o, labels[chosen]).mean()) for o in outputs)
            if would > was + BETTER and (would - was) * len(chosen) >= 2:
                return [f"{what}: the float model gets {was:.0%} right, as {other} it would {would:.0%}; {cure}"]
    if _makes_no_sense(as_given, as_other, factor):
        return [f"{what}: its answers make sense only so; {cure}"]
    return []


def _makes_no_sense(given: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray], factor: float) -> bool:
    (outputs, logits), (other_outputs, other_logits) = given, other
    if logits.shape[1] < 2:
        return False
    margin, other_margin = _margin(logits), _margin(other_logits)
    if not USUAL_MARGIN[0] < other_margin < USUAL_MARGIN[1]:
        return False
    if factor < 1:
        return margin > ABSURD_MARGIN
    return len(outputs) > 4 and outputs.std(0).max() < STIFF and other_outputs.std(0).max() > LIVELY


def _margin(logits: np.ndarray) -> float:
    """The middle one, over readings, of the distances between the largest and the next."""
    ordered = np.sort(logits, 1)
    return float(np.median(ordered[:, -1] - ordered[:, -2]))


def _run(graph: Graph, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, count) of the first output, and of what enters its Softmax, if it has one."""
    output = graph.outputs[0].tensor
    logits = _logits(graph, output)
    parts = [batch.run(graph, part) for part in chunks(graph, [values])]
    results = (np.concatenate([p[id(t)] for p in parts]).reshape(len(values), -1) for t in (output, logits))
    return next(results), next(results)


def _logits(graph: Graph, output: Tensor) -> Tensor:
    maker = graph.producer(output)
    while isinstance(maker, ir.Reshape):
        maker = graph.producer(maker.source)
    return maker.source if isinstance(maker, (ir.Softmax, ir.LogSoftmax)) else output
