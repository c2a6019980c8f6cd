"""`make bench`: this PC's speed against TensorFlow Lite Micro's Python interpreter, as ratios in one run.

Nothing is asserted about time; the figures are for docs and closing notes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from array import array
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


def main() -> None:
    if not MODELS.is_dir():
        sys.exit("bench: the reference models (../shared/data) are not here")
    print(f"{'model':24}{'TFLM ms':>10}{'cpython ms':>12}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for name in NAMES:
            source, target = MODELS / f"{name}.tflite", Path(folder) / f"{name}.midge"
            convert(source, target)
            values = np.load(MODELS / f"{name}.npz")["inputs"][0]
            interpreter = runtime.Interpreter.from_bytes(source.read_bytes())
            model = midge.load(str(target), backend="native")
            reading = array("b", values.tobytes())
            out = array("b", bytes(model.outputs[0].bytes))

            def tflm(interpreter=interpreter, values=values) -> None:
                interpreter.set_input(values, 0)
                interpreter.invoke()
                interpreter.get_output(0)

            theirs = best(tflm)
            ours = best(lambda model=model, reading=reading, out=out: model.predict_into(reading, out))
            print(f"{name:24}{theirs:10.3f}{ours:12.3f}{theirs / ours:8.1f}")
        start = time.perf_counter()
        command = Path(sys.executable).parent / "midge"
        vww = [str(command), "convert", str(MODELS / "vww_96_int8.tflite"), "-o", f"{folder}/vww.midge"]
        subprocess.run(vww, check=True, stdout=subprocess.DEVNULL)
        print(f"midge convert vww_96_int8: {time.perf_counter() - start:.2f} s, start-up included")


if __name__ == "__main__":
    main()
