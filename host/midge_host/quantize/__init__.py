"""Quantising: a graph of floats becomes one of integers, as TensorFlow Lite Micro computes it.

quantise(graph, readings, options) -> the quantised graph; is_float(graph) -> whether it is wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ..device.ops import LOWERINGS
from ..ir.graph import Graph, Node
from ..ir.operators import Dequantize, Quantize
from ..ir.verify import QUANTISED, verify
from ..passes import FLOAT_PASSES
from .calibrate import Calibration, calibrate, check_readings, few
from .choose import GOOD, Scales, choose, widen
from .equalise import equalise
from .integers import Integers
from .judge import Judge, decibels
from .readings import normalisations, spread_channels

Precision = Literal["int8", "int16", "auto"]


@dataclass(frozen=True)
class Options:
    """precision: of activations; "auto" takes 16 bits for the layers that need them."""

    precision: Precision = "int8"


@dataclass
class Quantised:
    """choices: what was chosen, in words. reference: the graph of floats whose layers have the same names."""

    graph: Graph
    reference: Graph
    choices: list[str] = field(default_factory=list)


def is_float(graph: Graph) -> bool:
    """Whether the graph computes with floats, and so has to be quantised. A conversion at the edge of a quantised
    model, or functions of floats between quantised tensors, do not make it one."""
    computed = [t for node in graph.nodes for t in node.outputs] + [e.tensor for e in graph.inputs]
    integers = any(t.dtype in QUANTISED and t.quantization is not None for t in computed)
    layers = [n for n in graph.nodes if not isinstance(n, Quantize | Dequantize) and not _stays_float(n)]
    return not integers and any(t.dtype == "float32" for n in layers for t in n.outputs)


def _stays_float(node: Node) -> bool:
    """Whether a device computes it with floats: trees and other models of few numbers."""
    return type(node) in LOWERINGS and LOWERINGS[type(node)].types.startswith("float")


def quantise(graph: Graph, readings: Sequence[np.ndarray], options: Options = Options()) -> Quantised:
    """The graph in integers. readings: (N, *shape) for each input, typical ones. `graph` stays as it is.

    Raises MidgeError for readings that tell nothing, UnsupportedError for a layer without an integer form.
    """
    reference = simplified(graph)
    checked = check_readings(reference, readings)
    calibration = calibrate(reference, checked)
    choices = spread_channels(reference, calibration)
    if choices:
        calibration = calibrate(reference, checked)
    best = _Attempt.of(reference, checked, calibration, options)
    copies: dict[int, Any] = {}
    equal = deepcopy(reference, copies)
    known = {id(copies[key]): histogram for key, histogram in calibration.histograms.items()}
    pairs = equalise(equal, Calibration(checked, known))
    if pairs:
        other = _Attempt.of(equal, checked, calibrate(equal, checked), options)
        if other.error < best.error:
            best = other
            choices.append(f"channels of {pairs} layers equalised")
    made, choices = best.made, [*choices, *best.choices]
    verify(made.graph)
    return Quantised(made.graph, best.reference, choices)


@dataclass
class _Attempt:
    """A graph in integers of one graph of floats. error: of its outputs (judge.py)."""

    reference: Graph
    made: Integers
    error: float
    choices: list[str]

    @classmethod
    def of(cls, reference: Graph, readings: list[np.ndarray], calibration: Calibration, options: Options) -> _Attempt:
        known = normalisations(reference)
        judge = Judge(reference, few(reference, readings))
        choices = []
        width = "int16" if options.precision == "int16" else "int8"
        scales = Scales(reference, calibration, lambda node: width, known)
        made, error = choose(scales, judge)
        if options.precision == "auto" and decibels(error) < GOOD:
            wide, left = widen(reference, calibration, known, judge, error)
            if wide:
                names = ", ".join(repr(n.name) for n in reference.nodes if id(n) in wide)
                choices.append(
                    f"activations of 16 bits in {names}: {decibels(left):.1f} dB at the outputs in place of "
                    f"{decibels(error):.1f} dB"
                )
                scales = Scales(reference, calibration, lambda node: "int16" if id(node) in wide else "int8", known)
                made, error = choose(scales, judge)
        methods = sorted({scales.methods[id(g)] for g in scales.free()})
        ranges = " and ".join(methods) or "their largest values"
        return cls(reference, made, error, [*choices, f"ranges by {ranges}, {decibels(error):.1f} dB at the outputs"])


def simplified(graph: Graph) -> Graph:
    """A copy of the graph, as FLOAT_PASSES leave it."""
    made = deepcopy(graph)
    verify(made)
    for rewrite in FLOAT_PASSES:
        rewrite(made)
        verify(made)
    return made
