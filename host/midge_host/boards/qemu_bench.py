# Runs on an emulated board that counts instructions: those of a prediction, the native modules' part in it, and heap.
import gc
import json
from array import array

from instructions import between, stamp

START, END = array("I", [0]), array("I", [0])
PREDICTIONS = 8  # MicroPython's part in one depends on how long it looks for free heap


def used():
    gc.collect()
    return gc.mem_alloc()


def one_or_list(values):
    return values if len(values) > 1 else values[0]


# Nothing between the stamps takes heap.
def counted_run(run, program, first, last, arena, weights):
    stamp(START)
    run(program, first, last, arena, weights)
    stamp(END)
    return between(START[0], END[0])


def counted_copy(function, tensor, source, target):
    stamp(START)
    function(tensor, source, target)
    stamp(END)
    return between(START[0], END[0])


def counted_prediction(predict_into, reading, out):
    stamp(START)
    predict_into(reading, out)
    stamp(END)
    return between(START[0], END[0])


def main(job):
    readings = [array(code, bytes(size)) for code, size in job["inputs"]]
    outs = [array(code, bytes(size)) for code, size in job["outputs"]]
    with open("/rom/in.bin", "rb") as file:
        for part in readings:
            file.readinto(part)
    reading, out = one_or_list(readings), one_or_list(outs)

    idle = used()
    import midge._model  # noqa: F401
    import midge_core  # noqa: F401
    from midge import load

    library = used() - idle
    model = load(job["model"], job["weights"])
    heap = {"library": library, "loaded": used() - idle}

    program, arena, weights = model._program, model._arena, model._weights
    model.predict_into(reading, out)  # the first one makes names known
    whole = 0
    for _ in range(PREDICTIONS):
        whole += counted_prediction(model.predict_into, reading, out)
    whole //= PREDICTIONS
    # What a call itself takes is that of one with nothing to do.
    nothing = program[:0]
    encoded = decoded = 0
    for i in range(len(readings)):
        tensor, part = model.inputs[i], readings[i]
        encode = tensor.module.encode
        encoded += counted_copy(encode, tensor.raw, part, arena) - counted_copy(encode, nothing, part, arena)
    layers = []
    for i in range(model._first, model._last):
        run = model._runs[program[i * job["record_bytes"] + job["bank_at"]]]
        alone = counted_run(run, program, i, i, arena, weights)
        layers.append(counted_run(run, program, i, i + 1, arena, weights) - alone)
    for i in range(len(outs)):
        tensor, part = model.outputs[i], outs[i]
        decode = tensor.module.decode
        decoded += counted_copy(decode, tensor.raw, arena, part) - counted_copy(decode, nothing, arena, part)
    print(json.dumps({"whole": whole, "reading": encoded, "layers": layers, "result": decoded, "heap": heap}))
