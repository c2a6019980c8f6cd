"""Hear yes, no and stop with CircuitPython. Copy to the CIRCUITPY drive, next to keywords.midge.

An I2S microphone such as an INMP441 listens; README.md says how it is connected, and which boards can.
"""

from array import array

import audioi2sin
import board

import midge

NO_WORDS = ("silence", "unknown")

model = midge.load("keywords.midge")
print("self-test passed:", model.selftest(), "with", model.backend, "kernels")
detector = midge.Detector(model, cutoff=0.8, window=3)  # tells once when a word was heard
# A Pico's pins. The microphone sends 24 bits in 32, of which the upper 16 are taken.
microphone = audioi2sin.I2SIn(
    board.GP10, board.GP11, board.GP12, sample_rate=model.rate, bit_depth=32, output_bit_depth=16
)

samples = array("h", [0] * (model.hop * model.every))  # as many as a prediction needs
print("listening for", ", ".join(word for word in model.labels if word not in NO_WORDS))
while True:
    microphone.record(samples, len(samples))
    for word, score in detector.detect(samples):
        if word not in NO_WORDS:
            print(f"heard {word} (score {score:.2f})")
