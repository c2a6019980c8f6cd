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
indexes = list(range(model._first, model._last))
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


def of_operator(at):
    if streamed:
        run = streamed[at]
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
        midge._inspect._draw(model, seed)
        start = now()
        model.predict_into(model._arena, out)
        whole = between(now(), start)
    midge._inspect._draw(model, seed)
    for i in range(len(indexes)):
        times[i] = max(0, of_operator(i) - call)
    return whole, list(times)


measure(0)  # the first one makes names known
print(repr((model.backend, model.weights_mode, heap)))
for i in range(ROUNDS):  # noqa: F821
    print(repr(measure(i + 1)))
model.reset()
