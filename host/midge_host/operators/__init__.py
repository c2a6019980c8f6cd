"""Every operator: how a node becomes a step, and how NumPy runs its record.

To add one: a module here, a line in each table below, a line in spec.OPERATORS if the device gets a new operator,
and its kernels in native_modules/core and device_lib/midge/_portable.py.
"""

from __future__ import annotations

from ..program import Lowering, Reference
from . import add, conv, lut, mean, pad, pool, softmax

# By TensorFlow Lite's operator name.
LOWERINGS: dict[str, Lowering] = {
    "CONV_2D": conv.lower_conv,
    "DEPTHWISE_CONV_2D": conv.lower_depthwise,
    "FULLY_CONNECTED": conv.lower_fully_connected,
    "AVERAGE_POOL_2D": pool.lower,
    "MAX_POOL_2D": pool.lower,
    "MEAN": mean.lower,
    "ADD": add.lower,
    "SOFTMAX": softmax.lower,
    "LOGISTIC": lut.lower_logistic,
    "RELU": lut.lower_relu,
    "RELU6": lut.lower_relu6,
    "PAD": pad.lower,
}

# By the device's operator name.
REFERENCES: dict[str, Reference] = {
    "CONV_2D": conv.run_conv,
    "DEPTHWISE_CONV_2D": conv.run_depthwise,
    "FULLY_CONNECTED": conv.run_conv,
    "AVERAGE_POOL_2D": pool.run_average,
    "MAX_POOL_2D": pool.run_max,
    "MEAN": mean.run,
    "ADD": add.run,
    "SOFTMAX": softmax.run,
    "LUT": lut.run,
    "PAD": pad.run,
}
