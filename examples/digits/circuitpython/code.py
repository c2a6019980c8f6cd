"""Recognise a handwritten digit with CircuitPython. Copy to the CIRCUITPY drive, next to digits.midge.

Runs as it is, without a touch screen or a camera: a stroke stands in for one.
"""

import time

import midge

model = midge.load("digits.midge")
print("self-test passed:", model.selftest(), "with", model.backend, "kernels")

# The model reads 28 x 28 pixels, row by row, one byte each: 0 is paper, 255 is ink. Here a 1, three pixels wide.
frame = bytearray(28 * 28)
for y in range(5, 23):
    for x in range(13, 16):
        frame[28 * y + x] = 255

start = time.monotonic()
label, score = model.classify(frame)
took = time.monotonic() - start
print(f"This is a {label} (score {score:.2f}), found in {took:.2f} s.")
