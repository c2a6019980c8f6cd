# Runs on MicroPython: loads a model, predicts for every input of a file, writes the outputs, prints a report.
import gc
import json
import sys
from array import array

try:
    from time import ticks_diff, ticks_us
except ImportError:  # an emulated board without a clock
    ticks_us = None
try:
    from instructions import between, stamp  # an emulated board that counts them
except ImportError:
    stamp = None
try:
    from cycles import mark  # an emulated board that stamps its cycle counter
except ImportError:
    mark = None


def buffer(code, size):
    if code == "B":
        return bytearray(size)
    return array(code, bytes(size * {"b": 1, "h": 2}.get(code, 4)))


def room(tensor, arena, code, size):
    # A buffer for a reading. Where none of its size is left: its place in the arena, whose bytes are taken as uint8.
    try:
        return buffer(code, size)
    except MemoryError:
        if code != "b":
            raise
        return memoryview(arena)[tensor.offset : tensor.offset + size]


def fill(part, source):
    source.readinto(part)
    if isinstance(part, memoryview):
        for i in range(len(part)):
            part[i] ^= 128


def one_or_list(values):
    return values if len(values) > 1 else values[0]


def main(job):
    gc.collect()
    before = gc.mem_alloc()
    import midge

    model = midge.load(job["model"], job["weights"], job["backend"])
    gc.collect()
    heap = gc.mem_alloc() - before
    outs = [buffer(code, size) for code, size in job["outputs"]]
    readings = [room(model.inputs[i], model._arena, *job["inputs"][i]) for i in range(len(model.inputs))]
    reading, out = one_or_list(readings), one_or_list(outs)
    first, last = array("I", [0]), array("I", [0])
    microseconds = executed = 0
    hears = hasattr(model, "hop")  # and makes any number of predictions of a reading
    with open(job["source"], "rb") as source, open(job["sink"], "wb") as sink:

        def write():
            for part in outs:
                sink.write(part)

        for _ in range(job["count"]):
            if job["reset"]:
                model.reset()
            for part in readings:
                fill(part, source)
            if stamp:
                stamp(first)
            start = ticks_us() if ticks_us else 0
            if mark:
                mark(1)
            if hears:
                model.predict_each(reading, out, write)
            else:
                model.predict_into(reading, out)
            if mark:
                mark(2)
            if ticks_us:
                microseconds += ticks_diff(ticks_us(), start)
            if stamp:
                stamp(last)
                executed += between(first[0], last[0])
            if not hears:
                write()
    report = {"heap_bytes": heap, "weights_mode": model.weights_mode}
    if ticks_us:
        report["microseconds"] = microseconds / max(1, job["count"])
    if stamp:
        report["instructions"] = executed // max(1, job["count"])
    print(json.dumps(report))


if len(sys.argv) > 1:
    with open(sys.argv[1]) as file:
        main(json.load(file))
