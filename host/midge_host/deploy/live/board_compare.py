# Runs on a board, for compare.py, with PATH and WEIGHTS set: a model's operators one by one on a reading, and checksums
# of what each gives. put() and run() print; they take as little heap as they can beside the model.
import gc
from array import array
from binascii import crc32, hexlify, unhexlify

import midge
import midge._inspect

gc.collect()
model = midge.load(PATH, WEIGHTS)  # noqa: F821
print(repr((model.backend, model.weights_mode)))


def put(at, text):
    data = unhexlify(text)
    model._arena[at : at + len(data)] = data


def run(ranges):
    memory = memoryview(model._arena)
    operators = midge._inspect.operators(model, model._first, model._last)
    for i in range(len(ranges)):
        operators[i]()
        start, end = ranges[i]
        print(crc32(memory[start:end]) & 0xFFFFFFFF)


def result(sizes):
    outs = [array(code, bytes(size)) for code, size in sizes]
    model.predict_into(model._arena, outs if len(outs) > 1 else outs[0])
    for out in outs:
        print(crc32(out) & 0xFFFFFFFF)


def show(start, end):
    memory = memoryview(model._arena)
    for at in range(start, end, 256):
        print(hexlify(memory[at : min(at + 256, end)]).decode())
