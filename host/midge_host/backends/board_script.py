# Runs on MicroPython: loads a model, predicts for every input in in.bin, writes out.bin, prints a report.
import gc
import json
import sys
from array import array

import midge


def buffer(code, size):
    if code == "B":
        return bytearray(size)
    return array(code, bytes(size * (4 if code == "f" else 1)))


def ticks():
    import time

    return time.ticks_us()


def elapsed(start):
    import time

    return time.ticks_diff(time.ticks_us(), start)


def main():
    with open(sys.argv[1]) as file:
        job = json.load(file)
    gc.collect()
    before = gc.mem_alloc()
    model = midge.load(job["model"], job["weights"], job["backend"])
    gc.collect()
    heap = gc.mem_alloc() - before
    readings = [buffer(code, size) for code, size in job["inputs"]]
    outs = [buffer(code, size) for code, size in job["outputs"]]
    total = 0
    with open(job["folder"] + "/in.bin", "rb") as source, open(job["folder"] + "/out.bin", "wb") as sink:
        for _ in range(job["count"]):
            for reading in readings:
                source.readinto(reading)
            start = ticks()
            model.predict_into(readings if len(readings) > 1 else readings[0], outs if len(outs) > 1 else outs[0])
            total += elapsed(start)
            for out in outs:
                sink.write(out)
    print(json.dumps({"microseconds": total / max(1, job["count"]), "heap_bytes": heap}))


main()
