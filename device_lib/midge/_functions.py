# Functions of a model's real outputs, where it ends in floats: docs/NUMERICS.md, "Readings". Imported on first use.

from array import array
from math import exp, log

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: functions (host/midge_host/device/spec.py, `make generate`)
_SOFTMAX = const(1)
_LOG_SOFTMAX = const(2)
_LOGISTIC = const(3)
# generated: end


def apply(function, depth, values):
    """Computes a function of rows of `depth` values in place. Each step is rounded to float32 by being stored in an
    array('f')."""
    if function == _LOGISTIC:
        for i in range(len(values)):
            _logistic(values, i)
        return
    cells = array("f", [0.0, 0.0])
    for start in range(0, len(values), depth):
        top = max(values[start : start + depth])
        cells[0] = 0.0
        for i in range(start, start + depth):
            values[i] = values[i] - top
            cells[1] = exp(values[i])
            cells[0] += cells[1]
            if function == _SOFTMAX:
                values[i] = cells[1]
        if function == _SOFTMAX:
            for i in range(start, start + depth):
                values[i] = values[i] / cells[0]
        else:
            cells[0] = log(cells[0])
            for i in range(start, start + depth):
                values[i] = values[i] - cells[0]


def _logistic(values, i):
    x = values[i]
    if x > 16.619047:  # from here on float32 knows 1 only
        values[i] = 1.0
    elif x < -9:
        values[i] = exp(x)
    else:
        values[i] = exp(-x)
        values[i] = 1 + values[i]
        values[i] = 1 / values[i]
