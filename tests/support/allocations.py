"""A program for MicroPython that counts what a prediction allocates."""

ALLOCATIONS = """
import gc
from array import array
import midge

model = midge.load("model.midge", WEIGHTS)
n = model.inputs[0].bytes
readings = (array("b", bytes(n)), bytes(n), bytearray(n), memoryview(bytearray(n)), array("f", bytes(4 * n)))
m = model.outputs[0].bytes
outs = (array("f", bytes(4 * m)), array("b", bytes(m)), bytearray(m))
worst = 0
for reading in readings:
    for out in outs:
        model.predict_into(reading, out)
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        for _ in range(10):
            model.predict_into(reading, out)
        worst = max(worst, gc.mem_alloc() - before)
        gc.enable()
print("allocated", worst)
"""
