"""TensorFlow Lite Micro's Signal operators: a chain of them, from samples to features, is two operators of the IR."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import flatbuffers.flexbuffers
import numpy as np
import tflite

from ...ir.graph import Node, Quantization, Tensor
from ...ir.operators import FilterBank, Spectrum
from .node import FileNode

PREFIX = "CUSTOM:Signal"
_ADVICE = "midge converts the whole chain of audio_preprocessor_int8.tflite, from SignalWindow to SignalFilterBankLog"


def options(source: Any) -> dict[str, Any]:
    """Of a Signal operator: a map of names."""
    raw = source.CustomOptionsAsNumpy()
    found = flatbuffers.flexbuffers.Loads(bytes(raw)) if source.CustomOptionsLength() else {}
    return found if isinstance(found, dict) else {}


def fuse(nodes: list[FileNode], outputs: list[Tensor]) -> dict[int, list[Node]]:
    """By their id, what becomes of nodes in chains that begin with SignalWindow: of the last one all, else nothing."""
    fused: dict[int, list[Node]] = {}
    for node in nodes:
        if node.kind == f"{PREFIX}Window":
            chain = _Chain(nodes, outputs, node)
            made = chain.operators()
            fused |= {id(part): [] for part in chain.parts}
            fused[id(chain.parts[-1])] = made
    return fused


@dataclass
class _Chain:
    """A walk from a node to the one that reads its first output."""

    nodes: list[FileNode]
    outputs: list[Tensor]
    node: FileNode

    def __post_init__(self) -> None:
        self.parts = [self.node]

    def next_kind(self) -> str:
        """Of the only reader; "" if there are several, or none."""
        made = self.node.outputs[0]
        readers = [n for n in self.nodes if any(t is made for t in n.inputs)]
        if len(readers) != 1 or any(t is made for t in self.outputs):
            return ""
        return readers[0].kind

    def step(self, *kinds: str) -> bool:
        """Goes on to the reader if it is of one of these."""
        if self.next_kind() not in kinds:
            return False
        made = self.node.outputs[0]
        self.node = next(n for n in self.nodes if any(t is made for t in n.inputs))
        self.parts.append(self.node)
        return True

    def signal(self, name: str) -> FileNode:
        if not self.step(f"{PREFIX}{name}"):
            found = self.next_kind() or "nothing, or several layers"
            raise self.node.refuse(f"behind it stands {found}, not Signal{name}", _ADVICE)
        return self.node

    def constant(self, index: int) -> np.ndarray:
        return self.node.constant(index, "tables are", "use constant tables").astype(np.int64)

    def number(self, name: str) -> int:
        if name not in self.node.options:
            raise self.node.refuse(f"it has no {name!r}")
        return int(self.node.options[name])

    def operators(self) -> list[Node]:
        samples, first = self.node.input(), self.node
        window, window_shift = self.constant(1), self.number("shift")
        self.step("RESHAPE")
        scale = self.signal("FftAutoScale")
        rfft = self.signal("Rfft")
        fft_length = self.number("fft_length")
        if self.number("T") != tflite.TensorType.INT16:
            raise rfft.refuse("it does not compute with int16", _ADVICE)
        spectrum = Tensor(rfft.name, (fft_length // 2 + 2,), "uint32")
        made: list[Node] = [
            Spectrum(
                name=first.name,
                kind=first.kind,
                source=_counted(samples),
                output=spectrum,
                window=window,
                window_shift=window_shift,
                fft_length=fft_length,
                peak_wraps=True,
            )
        ]
        self.signal("Energy")
        bins = self.bins(range(self.number("start_index"), self.number("end_index")))
        bank = self.signal("FilterBank")
        starts, weights, unweights = self.rows(bins)
        roots = self.signal("FilterBankSquareRoot")
        if len(scale.outputs) != 2 or roots.input(1) is not scale.outputs[1]:
            raise roots.refuse("its shift is not that of SignalFftAutoScale", _ADVICE)
        noise = self.signal("FilterBankSpectralSubtraction")
        parameters: dict[str, Any] = {
            "smoothing": (self.number("smoothing"), self.number("alternate_smoothing")),
            "one_minus": (self.number("one_minus_smoothing"), self.number("alternate_one_minus_smoothing")),
            "remaining": self.number("min_signal_remaining"),
            "estimate_bits": self.number("spectral_subtraction_bits"),
            "smoothing_bits": self.number("smoothing_bits"),
            "clamps": bool(self.number("clamping")),
        }
        if self.step(f"{PREFIX}PCAN"):
            if self.node.input(1) is not noise.outputs[1]:
                raise self.node.refuse("its estimates are not those of the layer before", _ADVICE)
            parameters |= {"gains": self.constant(2), "snr_shift": self.number("snr_shift")}
        self.signal("FilterBankLog")
        parameters |= {
            "correction_bits": self.number("input_correction_bits"),
            "log_scale": self.number("output_scale"),
        }
        to_int8 = self.to_int8()
        features = self.node.outputs[0]
        made.append(
            FilterBank(
                name=bank.name,
                kind=bank.kind,
                source=spectrum,
                state=Tensor(noise.name, (features.size,), "uint32", is_variable=True),
                output=_counted(features),
                starts=starts,
                weights=weights,
                unweights=unweights,
                to_int8=to_int8,
                **parameters,
            )
        )
        return made

    def bins(self, known: range) -> range:
        """The bins that have an energy; those around them are cut off and come back as zeros."""
        self.step("CAST")
        if self.step("STRIDED_SLICE"):
            begin, end, stride = (self.constant(i).tolist() for i in (1, 2, 3))
            before = begin[0]
            if not self.step("CONCATENATION") or stride != [1]:
                raise self.node.refuse("it does not cut off bins at both ends", _ADVICE)
            zeros = [t for t in self.node.inputs if t is not None and t.data is not None]
            if len(zeros) != 2 or any(t.data is None or t.data.any() for t in zeros) or zeros[0].size != before:
                raise self.node.refuse("it does not put zeros in the place of bins", _ADVICE)
            known = range(max(known.start, before), min(known.stop, end[0]))
            self.step("CAST")
        return known

    def rows(self, bins: range) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
        """First bins, weights and unweights, without what is zero at their ends."""
        weights, unweights, firsts, places, widths = (self.constant(i) for i in range(1, 6))
        starts, rows = [], []
        for first, place, width in zip(firsts, places, widths, strict=True):
            pairs = np.stack([weights[place : place + width], unweights[place : place + width]], 1)
            at = np.arange(first, first + len(pairs))
            used = np.flatnonzero(pairs.any(1) & (at >= bins.start) & (at < bins.stop))
            low, high = (int(used[0]), int(used[-1]) + 1) if used.size else (0, 0)
            starts.append(int(first) + low)
            rows.append(pairs[low:high])
        return np.array(starts), [row[:, 0] for row in rows], [row[:, 1] for row in rows]

    def to_int8(self) -> tuple[int, int, int, int] | None:
        """(multiplier, addend, divisor, offset) of the integer arithmetic behind, if it is there."""
        before = self.node, list(self.parts)
        numbers = []
        if self.step("CAST"):
            for kind in ("MUL", "ADD", "DIV", "ADD", "MINIMUM", "MAXIMUM"):
                if not self.step(kind) or self.node.input(1).data is None or self.node.input(1).size != 1:
                    break
                numbers.append(int(self.constant(1)[0]))
            if numbers[4:] == [127, -128] and self.step("CAST") and self.node.outputs[0].dtype == "int8":
                return numbers[0], numbers[1], numbers[2], numbers[3]
        self.node, self.parts = before
        return None


def _counted(tensor: Tensor) -> Tensor:
    """Samples and features that are what they are, without a scale."""
    if tensor.quantization is None:
        tensor.quantization = Quantization(np.ones(1, np.float32), np.zeros(1, np.int64))
    return tensor


def refuse_alone(nodes: Iterable[FileNode], fused: dict[int, list[Node]]) -> None:
    """Signal operators outside of such a chain."""
    for node in nodes:
        if node.kind.startswith(PREFIX) and id(node) not in fused:
            raise node.refuse("it is no part of a chain that begins with SignalWindow", _ADVICE)
