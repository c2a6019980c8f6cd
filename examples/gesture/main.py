"""Recognise gestures. Copy to the board as main.py, next to sensor.py and gesture.midge."""

from machine import I2C, Pin
from sensor import Accelerometer

import midge

SURE = 0.6  # of 1: below, a window has parts of two gestures, or none of them

accelerometer = Accelerometer(I2C(0, sda=Pin(4), scl=Pin(5), freq=400_000))
window = midge.Window(midge.load("gesture.midge"), hop=32)  # the last 128 samples, three times a second

seen = None
for sample in accelerometer.samples():
    if window.push(sample):
        label, score = window.best()
        if score >= SURE and label != seen:
            seen = label
            print(f"{label} (score {score:.2f})")
