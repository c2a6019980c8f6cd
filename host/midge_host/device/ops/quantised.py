"""Questions of lowerings about tensors: the scale of an activation that the device can compute with."""

from __future__ import annotations

import numpy as np

from ...ir.graph import Node, Tensor


def per_tensor(node: Node, tensor: Tensor, dtypes: tuple[str, ...] = ("int8",)) -> tuple[np.float32, int]:
    """Scale and zero point of an activation of one of `dtypes`."""
    if tensor.dtype not in dtypes or tensor.scale.size != 1:
        raise node.refuse(
            f"tensor {tensor.name!r} is {tensor.dtype}, not {' or '.join(dtypes)} with one scale",
            "quantise the whole model to int8 (TFLiteConverter with a representative dataset and TFLITE_BUILTINS_INT8)",
        )
    scale, zero_point = tensor.scale[0], int(tensor.zero_point[0])
    if tensor.dtype != "int8" and zero_point != 0:
        raise node.refuse(f"tensor {tensor.name!r} has an impossible quantisation", "export the model again")
    return scale, zero_point
