# Runs on a board, for verify.py, with PATH and BACKEND set: a model's self-test, its heap, and the microseconds of some
# predictions.
import gc
from array import array

gc.collect()
idle = gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0

import midge  # noqa: E402

model = midge.load(PATH, "auto", BACKEND)  # noqa: F821
gc.collect()
heap = gc.mem_alloc() - idle if hasattr(gc, "mem_alloc") else None
model.selftest()
times = []
if not hasattr(model, "hop"):
    try:
        from time import ticks_diff, ticks_us
    except ImportError:
        ticks_us = None
    outs = [array("f", bytes(4 * tensor.size)) for tensor in model.outputs]
    out = outs if len(outs) > 1 else outs[0]
    if ticks_us:
        for _ in range(4):
            start = ticks_us()
            model.predict_into(model._arena, out)
            times.append(ticks_diff(ticks_us(), start))
        times = times[1:]
print(repr((heap, times)))
