# Runs on the emulated Pico: heap that midge and a model take, and cycle stamps of a prediction, as a whole and
# operator by operator. The first mark is 0, then each is one more.
import gc
import json
from array import array

from cycles import mark


def used():
    gc.collect()
    return gc.mem_alloc()


def one_or_list(values):
    return values if len(values) > 1 else values[0]


def no_reading(model, reading):
    pass


def main(job):
    # The script's own: a reading and room for the result.
    readings = [array(code, bytes(size)) for code, size in job["inputs"]]
    outs = [array(code, bytes(size)) for code, size in job["outputs"]]
    with open("in.bin", "rb") as file:
        for part in readings:
            file.readinto(part)
    reading, out = one_or_list(readings), one_or_list(outs)

    idle = used()
    free = gc.mem_free()
    import midge._model
    import midge_core  # noqa: F401
    from midge import load

    library = used() - idle
    model = load(job["model"], job["weights"])
    loaded = used() - idle

    import midge._inspect

    operators = midge._inspect.operators(model, model._first, model._last)
    if hasattr(model, "hop"):  # a reading is a hop of sound, which makes a frame; then a prediction is due
        from midge._audio import fill

        operators = midge._inspect.operators(model, *model._feed) + operators
        model._left = 1
        while not model.predict_into(reading, out):
            pass
        model._left = 1
    else:
        from midge._convert import load as fill

        if getattr(model, "_strip", None):  # rows come in between layers; the arena has no room for all of them
            fill = no_reading
        model.predict_into(reading, out)  # the first one makes names known
    mark(0)
    mark(1)  # what a mark itself takes
    model.predict_into(reading, out)
    mark(2)
    fill(model, reading)
    mark(3)
    for i in range(len(operators)):
        operators[i]()
        mark(i + 4)
    heap = {"idle_free": free, "library": library, "loaded": loaded}
    print(json.dumps({"heap": heap, "weights": model.weights_mode}))


with open("job.json") as file:
    main(json.load(file))
