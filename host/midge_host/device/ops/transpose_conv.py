"""TRANSPOSE_CONV as one CONV_2D for each place of an output pixel between two input pixels.

With stride s and padding p, output y is the sum over kernel rows k of input[(y + p - k) / s] * weights[k], as far as
that is a whole number: the outputs y = s * i + phase read the rows k = (phase + p) mod s + s * j, which is a
convolution of stride 1. Each has its own outputs, which a COPY puts between those of the others.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from operator import itemgetter

import numpy as np

from ...ir.graph import Tensor
from ...ir.operators import Conv2D, TransposeConv2D
from ..record import Step
from . import conv
from .copy import scatter
from .quantised import per_tensor
from .window import image_shape


def lower(node: TransposeConv2D) -> list[Step]:
    weights, source, output = node.weights, node.source, node.output
    per_tensor(node, source, ("int8", "int16"))
    if weights.data is None:
        raise node.refuse("its weights are computed by the model", "only constant weights can be converted")
    strides, sizes = node.strides, image_shape(node, output)[:2]
    pads = [before for before, _ in node.padding]
    phases = list(product(*map(range, strides)))
    if not all(s <= n for s, n in zip(strides, sizes, strict=True)):
        raise node.refuse(f"its strides {strides} are larger than its output {sizes}", "use smaller strides")
    steps: list[Step] = []
    for phase in phases:
        rows, columns = (_taps(k, s, p, f) for k, s, p, f in zip(weights.shape[1:3], strides, pads, phase, strict=True))
        part = _between(weights.data, rows[0], columns[0])
        shape = (1, *(-(-(n - f) // s) for n, s, f in zip(sizes, strides, phase, strict=True)), weights.shape[0])
        made = output if len(phases) == 1 else replace(output, name=f"{output.name}_{phase}", shape=shape)
        high, wide = (
            (before, out + k - 1 - size - before)
            for before, out, k, size in zip(
                (rows[1], columns[1]), shape[1:3], part.shape[1:3], source.shape[1:3], strict=True
            )
        )
        inner = Conv2D(
            name=node.name,
            kind=node.kind,
            numerics=node.numerics,
            source=source,
            weights=replace(weights, shape=part.shape, data=part),
            bias=_bias(node),
            output=made,
            strides=(1, 1),
            padding=(high, wide),
            activation=node.activation,
        )
        steps += conv.lower_conv(inner)
        if made is not output:
            y, x = phase
            place = (slice(None), slice(y, None, strides[0]), slice(x, None, strides[1]))
            steps.append(scatter(node, made, output, itemgetter(place), phase != phases[-1]))
    return steps


def _bias(node: TransposeConv2D) -> Tensor | None:
    """TFLM takes the bias of int16 activations for int64 if it is not int16."""
    bias = node.bias
    if node.source.dtype != "int16" or bias is None or bias.data is None or bias.dtype == "int64":
        return bias
    if bias.dtype != "int16":
        raise node.refuse(f"its bias is {bias.dtype}, not int64", "export the model again")
    return replace(bias, dtype="int64", data=bias.data.astype(np.int64))


def _taps(kernel: int, stride: int, pad: int, phase: int) -> tuple[list[int], int]:
    """Of one axis and phase: the kernel's rows from the first input they read to the last, and the padding before.

    Rows behind the kernel's end are zeros: they stand where the first input pixels would be left out otherwise.
    """
    skipped, first = divmod(phase + pad, stride)
    count = max(len(range(first, kernel, stride)), skipped + 1)
    return [first + stride * j for j in range(count)][::-1], count - 1 - skipped


def _between(weights: np.ndarray, rows: list[int], columns: list[int]) -> np.ndarray:
    """The weights (out_c, kernel_h, kernel_w, in_c) of these rows and columns; zeros behind the kernel's end."""
    beyond = (max(0, max(indexes) + 1 - n) for indexes, n in zip((rows, columns), weights.shape[1:3], strict=True))
    padded = np.pad(weights, ((0, 0), *((0, n) for n in beyond), (0, 0)))
    return np.ascontiguousarray(padded[:, rows][:, :, columns])
