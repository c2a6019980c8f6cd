# Runs on a board, for profile.py, with PATH, WEIGHTS, ROUNDS, and RECORD and BANK_AT of a program set: the time that
# each operator of a model takes.
# Prints what it runs on, then a line for each round: microseconds of the whole prediction, None for a model of sound,
# and of each operator, without what it takes to call one.
import gc
from array import array

import midge
import midge._inspect

gc.collect()
idle = gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0
model = midge.load(PATH, WEIGHTS)  # noqa: F821
gc.collect()
heap = gc.mem_alloc() - idle if hasattr(gc, "mem_alloc") else None
hears = hasattr(model, "hop")
in_rows = model._to - model._from if hasattr(model, "_run_region") else 0  # layers that are made in strips
indexes = list(range(model._first - in_rows, model._last))
if hears:
    indexes = list(range(*model._feed)) + indexes
program, arena, weights = model._program, model._arena, model._weights
streamed = []
if model._file:
    streamed = midge._inspect.operators(model, model._first, model._last)
    if hears:
        streamed = midge._inspect.operators(model, *model._feed) + streamed
outs = [array("f", bytes(4 * tensor.size)) for tensor in model.outputs]
out = outs if len(outs) > 1 else outs[0]
times = array("I", bytes(4 * len(indexes)))
now, between = midge._inspect._clock()
began = [0]
row = array("b", bytes(model._row)) if getattr(model, "_strip", None) else None


def reading(seed):
    if row is None:
        midge._inspect._draw(model, seed)
        return model._arena
    for i in range(len(row)):
        row[i] = (seed * 11 + i * 37) & 127
    return (row for _ in range(model._height))


def did(number):
    if number:
        times[number - 1] += between(now(), began[0])
    began[0] = now()


def of_rows(seed):
    # All strips of a layer, without what it takes to stop behind each of them.
    values = reading(seed)
    start = now()
    model._run_region(values, None)
    whole = between(now(), start)
    times[:in_rows] = array("I", bytes(4 * in_rows))
    values = reading(seed)
    start = began[0] = now()
    model._run_region(values, did)
    turns = list(model._rows[model._turns :])
    stop = max(0, between(now(), start) - whole) / len(turns)
    for i in range(in_rows):
        times[i] = max(0, int(times[i] - stop * turns.count(i + 1)))


def of_operator(at):
    if streamed:
        run = streamed[at - in_rows]
        start = now()
        run()
        return between(now(), start)
    first = indexes[at]
    return of_range(model._runs[program[first * RECORD + BANK_AT]], first, first + 1)  # noqa: F821


def of_range(run, first, last):
    start = now()
    status = run(program, first, last, arena, weights)
    end = now()
    if status:
        raise ValueError(f"operator {first} is refused, {status}")
    return between(end, start)


of_range(model._runs[0], 0, 0)
call = min([of_range(model._runs[0], 0, 0) for _ in range(8)])  # with nothing to do


def measure(seed):
    whole = None
    if not hears:
        values = reading(seed)
        start = now()
        model.predict_into(values, out)
        whole = between(now(), start)
    if in_rows:
        of_rows(seed)
    else:
        reading(seed)
    for i in range(in_rows, len(indexes)):
        times[i] = max(0, of_operator(i) - call)
    return whole, list(times)


measure(0)  # the first one makes names known
print(repr((model.backend, model.weights_mode, heap)))
for i in range(ROUNDS):  # noqa: F821
    print(repr(measure(i + 1)))
model.reset()
