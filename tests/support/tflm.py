"""TensorFlow Lite Micro, the reference every backend answers to."""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence

import numpy as np
import tflite as schema
from tflite_micro import runtime

# Memory of the interpreter beyond the model: bookkeeping and all activations. Generous, because
# the Python interpreter ends the process when the arena is too small.
_ARENA_BYTES = 4 << 20


class Refused(Exception):
    """TensorFlow Lite Micro does not accept this model; the message holds what it logged."""


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    """Turn TFLM's errors into Refused, with the reason that its C++ code writes to stderr."""
    with tempfile.TemporaryFile() as log:
        stderr = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            yield
        except RuntimeError as error:
            log.seek(0)
            reason = " | ".join(log.read().decode(errors="replace").splitlines())
            raise Refused(f"{error}: {reason}") from None
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def run(tflite: bytes, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Invoke the model once per row and return its outputs, one (N, *output_shape) array each.

    Input i is an array whose first axis counts the N runs; each of its rows holds one run's
    values and takes the shape of the model's input i, so a batch axis of 1 may be left out.
    The dtypes are the model's own. One interpreter serves all rows: variables keep their state.
    """
    graph = schema.Model.GetRootAs(tflite).Subgraphs(0)
    if len(inputs) != graph.InputsLength():
        raise ValueError(f"the model has {graph.InputsLength()} inputs, given {len(inputs)}")
    with _refusals():
        model = runtime.Interpreter.from_bytes(tflite, arena_size=_ARENA_BYTES + len(tflite))
    shapes = [model.get_input_details(i)["shape"] for i in range(len(inputs))]
    runs = []
    for rows in zip(*inputs, strict=True):
        for i, (row, shape) in enumerate(zip(rows, shapes, strict=True)):
            model.set_input(np.ascontiguousarray(row).reshape(shape), i)
        with _refusals():
            model.invoke()
        runs.append([model.get_output(i) for i in range(graph.OutputsLength())])
    return [np.stack(output) for output in zip(*runs, strict=True)]


def tensorflow_lite(model: bytes, readings: np.ndarray) -> np.ndarray:
    """`run_tensorflow_lite` for one input and one output."""
    return run_tensorflow_lite(model, [readings])[0]


def run_tensorflow_lite(model: bytes, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """As `run`, the outputs of TensorFlow Lite's reference kernels, for what TFLM has not."""
    import tensorflow as tf

    reference = tf.lite.experimental.OpResolverType.BUILTIN_REF
    interpreter = tf.lite.Interpreter(model_content=model, experimental_op_resolver_type=reference)
    interpreter.allocate_tensors()
    runs = []
    for rows in zip(*inputs, strict=True):
        for row, details in zip(rows, interpreter.get_input_details(), strict=True):
            interpreter.set_tensor(details["index"], row.reshape(details["shape"]))
        interpreter.invoke()
        runs.append([interpreter.get_tensor(details["index"]) for details in interpreter.get_output_details()])
    return [np.stack(output) for output in zip(*runs, strict=True)]
