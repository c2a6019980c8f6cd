"""Teach gestures with a button. Copy to the board as main.py, next to sensor.py and motion.midge.

Hold the button for two seconds or more and make a gesture over and over: these are examples of it. A short press begins
the next gesture. While the button is up, the board names what it sees. What it learnt is there after the next start.
"""

from array import array

from machine import I2C, Pin
from sensor import Accelerometer

import midge

LENGTH, HOP = 128, 32  # samples that the model looks at, and from one answer to the next
STEP = 3 * HOP  # values
SHORT = 40  # samples: a shorter press means the next gesture
SURE = 4  # answers in a row: between two gestures a window has parts of both

button = Pin(15, Pin.IN, Pin.PULL_UP)  # to ground
accelerometer = Accelerometer(I2C(0, sda=Pin(4), scl=Pin(5), freq=400_000))
model = midge.load("motion.midge")
try:
    learner = model.learner("taught")
except OSError:  # nothing was taught yet
    learner = model.learner()
gesture = len(learner.labels) + 1
recent = array("f", bytes(4 * 3 * LENGTH))
at = len(recent) - STEP  # where the next sample goes
held = 0  # samples for which the button is down
again = 0  # answers that were the same
seen = before = None

for sample in accelerometer.samples():
    for value in sample:
        recent[at] = value
        at += 1
    if not button.value():
        held += 1
    elif held:
        if held < SHORT:
            gesture += 1
            print(f"next: gesture {gesture}")
        else:
            learner.train()
            learner.save("taught")
            print("taught:", ", ".join(learner.labels))
        held = 0
        seen = None
    if at < len(recent):
        continue
    if held >= LENGTH:  # all that is there was made while the button was down
        learner.add(recent, f"gesture {gesture}")
    elif not held:
        label, score = learner.classify(recent)
        again = again + 1 if label == before else 1
        before = label
        if label and again == SURE and label != seen:
            seen = label
            print(f"{label} (score {score:.2f})")
    recent[:-STEP] = recent[STEP:]
    at -= STEP
