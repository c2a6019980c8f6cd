"""LOG_SOFTMAX over the last axis."""

from __future__ import annotations

import numpy as np

from ...ir.operators import LogSoftmax
from ..banks import MATH
from ..definition import Operator
from ..numerics import log_of_sum, rounding_shift
from ..record import Context, Step
from .quantised import per_tensor
from .softmax import ROWS, ROWS_CHECK, SOFTMAX, exponentials, row_fields


def lower(node: LogSoftmax) -> list[Step]:
    if per_tensor(node, node.output) != (np.float32(1 / 16), 127):
        raise node.refuse("its output is not quantised to 1/16 with zero point 127", "export the model again")
    fields = row_fields(node, 1.0)
    return [Step("LOG_SOFTMAX", node.name, [node.source], node.output, fields)]


def run(context: Context) -> None:
    counts, q5, _, total = exponentials(context)
    out = rounding_shift(q5 - log_of_sum(total), np.int64(22)) + 127
    context.tensor(out.shape, "output")[:] = np.clip(np.where(counts, out, -128), -128, 127)


DEFINITIONS = (Operator(19, "LOG_SOFTMAX", MATH, SOFTMAX, "log_softmax", ROWS_CHECK, ROWS, run, in_place=True),)
