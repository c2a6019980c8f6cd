"""Hear yes, no and stop. Copy to the board as main.py, next to keywords.midge.

An I2S microphone such as an INMP441 listens; README.md says how it is connected.
"""

from machine import I2S, Pin

import midge

# A Pico's. On an ESP32: 32, 25, 33.
SCK, WS, SD = 10, 11, 12
NO_WORDS = ("silence", "unknown")

model = midge.load("keywords.midge")
detector = midge.Detector(model, cutoff=0.8, window=3)  # tells once when a word was heard
microphone = I2S(
    0, sck=Pin(SCK), ws=Pin(WS), sd=Pin(SD), mode=I2S.RX, bits=16, format=I2S.MONO, rate=model.rate, ibuf=16_000
)

# The microphone fills one buffer while the model hears the other. Each holds what a prediction needs, 2 bytes a sample.
size = 2 * model.hop * model.every
filling, full = bytearray(size), bytearray(size)
ready = False


def filled(_):
    global ready
    ready = True


microphone.irq(filled)  # from now on readinto() returns at once, and filled() is called when the buffer is full
microphone.readinto(filling)
print("listening for", ", ".join(word for word in model.labels if word not in NO_WORDS))
while True:
    # Other work has its place here, up to 0.1 s at a time: so much sound the driver keeps (ibuf; 8 bytes a sample).
    if ready:
        ready = False
        filling, full = full, filling
        microphone.readinto(filling)
        for word, score in detector.detect(full):
            if word not in NO_WORDS:
                print(f"heard {word} (score {score:.2f})")
