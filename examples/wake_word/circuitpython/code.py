"""Hear a wake word with CircuitPython. Copy to the CIRCUITPY drive, next to alexa.midge.

An I2S microphone such as an INMP441 listens; README.md says how it is connected, and which boards can.
"""

from array import array

import audioi2sin
import board

import midge

model = midge.load("alexa.midge")
print("self-test passed:", model.selftest(), "with", model.backend, "kernels")
detector = midge.Detector(model)  # tells once when the word was heard
# A Pico's pins. The microphone sends 24 bits in 32, of which the upper 16 are taken.
microphone = audioi2sin.I2SIn(
    board.GP10, board.GP11, board.GP12, sample_rate=model.rate, bit_depth=32, output_bit_depth=16
)

samples = array("h", [0] * (model.hop * model.every))  # as many as a prediction needs
print("listening for", model.labels[0])
while True:
    microphone.record(samples, len(samples))
    for word, score in detector.detect(samples):
        print(f"heard {word} (score {score:.2f})")
