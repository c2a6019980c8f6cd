"""Teach words with a button. Copy to the board as main.py, next to words.midge.

Hold the button while you say a word, five times or more; a press without a word begins the next one. While the button
is up, the board names the words that it hears. What it learnt is there after the next start.
"""

from array import array

from machine import I2S, Pin

import midge

# A Pico's. On an ESP32: 32, 25, 33.
SCK, WS, SD = 10, 11, 12
LENGTH, PART = 16_000, 640  # samples that the model looks at, and that are read at a time: 1 s, 40 ms
AFTER = 19  # parts of a word behind the one that it begins with
LOUD = 1000  # of 32,767: a word begins
PAUSE = 5  # quiet parts, at least, before one

button = Pin(15, Pin.IN, Pin.PULL_UP)  # to ground
model = midge.load("words.midge")
microphone = I2S(
    0, sck=Pin(SCK), ws=Pin(WS), sd=Pin(SD), mode=I2S.RX, bits=16, format=I2S.MONO, rate=model.rate, ibuf=16_000
)
try:
    learner = model.learner("taught")
except OSError:  # nothing was taught yet
    learner = model.learner()
word = len(learner.labels) + 1
samples = array("h", bytes(2 * LENGTH))
recent = memoryview(samples)
left = 0  # parts until a word is whole
teaching = False  # the button was down when it began
held = said = False
quiet = PAUSE  # parts

while True:
    recent[:-PART] = recent[PART:]
    microphone.readinto(recent[-PART:])
    was_held, held = held, not button.value()
    paused = quiet >= PAUSE
    quiet = quiet + 1 if max(recent[-PART:]) <= LOUD else 0
    if held and not was_held:
        said = False
    elif was_held and not held and not said:
        word += 1
        print(f"next: word {word}")
    if not left:
        if paused and not quiet:
            left = AFTER
            teaching = held
            said = said or held
        continue
    left -= 1
    if left:
        continue
    model.reset()
    if teaching:
        learner.add(samples, f"word {word}")
        learner.train()
        learner.save("taught")
        print("an example of", f"word {word}")
    else:
        label, score = learner.classify(samples)
        if label:
            print(f"{label} (score {score:.2f})")
