"""`make bench`: this PC's speed, one thread, beside TensorFlow Lite Micro's Python interpreter and LiteRT with XNNPACK.

LiteRT is that of the package ai-edge-litert where it is installed, else the one in TensorFlow. Nothing is asserted
about time; the table is for docs/performance.md.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tflite_micro import runtime

import midge
from midge_host.conversion import convert

MODELS = Path(__file__).resolve().parents[2] / "shared" / "data" / "models"
NAMES = ["vww_96_int8", "kws_ref_model", "pretrainedResnet_quant", "ad01_int8"]


def best(function, seconds: float = 1.0) -> float:
    """The shortest time of a call, in milliseconds: the least disturbed one."""
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def micro(source: Path, values: np.ndarray) -> Callable[[], object]:
    """A prediction of TensorFlow Lite Micro."""
    interpreter = runtime.Interpreter.from_bytes(source.read_bytes())

    def predict() -> object:
        interpreter.set_input(values, 0)
        interpreter.invoke()
        return interpreter.get_output(0)

    return predict


def litert(source: Path, values: np.ndarray) -> Callable[[], object]:
    """A prediction of LiteRT."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        from tensorflow.lite import Interpreter
    interpreter = Interpreter(str(source), num_threads=1)
    interpreter.allocate_tensors()
    (entry,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()

    def predict() -> object:
        interpreter.set_tensor(entry["index"], values.reshape(entry["shape"]))
        interpreter.invoke()
        return interpreter.get_tensor(result["index"])

    return predict


def main() -> None:
    if not MODELS.is_dir():
        sys.exit("bench: the reference models (../shared/data) are not here")
    print("| model | TFLM ms | LiteRT ms | midge ms | TFLM / midge | midge / LiteRT |")
    print("| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for name in NAMES:
            source, target = MODELS / f"{name}.tflite", Path(folder) / f"{name}.midge"
            convert(source, target)
            values = np.load(MODELS / f"{name}.npz")["inputs"][0]
            model = midge.load(str(target), backend="native")
            reading = array("b", values.tobytes())
            out = array("b", bytes(model.outputs[0].size))
            ours = best(lambda model=model, reading=reading, out=out: model.predict_into(reading, out))
            others = [best(run(source, values)) for run in (micro, litert)]
            times = " | ".join(f"{time:.3f}" for time in (*others, ours))
            print(f"| {name} | {times} | {others[0] / ours:.1f} | {ours / others[1]:.1f} |")
        start = time.perf_counter()
        command = Path(sys.executable).parent / "midge"
        vww = [str(command), "convert", str(MODELS / "vww_96_int8.tflite"), "-o", f"{folder}/vww.midge"]
        subprocess.run(vww, check=True, stdout=subprocess.DEVNULL)
        print(f"midge convert vww_96_int8: {time.perf_counter() - start:.2f} s, start-up included")


if __name__ == "__main__":
    main()
