"""Watch a machine. Copy to the board as main.py, next to sensor.py and machine.midge."""

from array import array

from machine import SPI, Pin
from sensor import Accelerometer

import midge

LIMIT = 0.39  # of the mean score: train.py prints it
TOGETHER = 8  # scores that a mean is of

spi = SPI(0, baudrate=5_000_000, polarity=1, phase=1, sck=Pin(18), mosi=Pin(19), miso=Pin(16))
accelerometer = Accelerometer(spi, Pin(17, Pin.OUT, value=1))
model = midge.load("machine.midge")
window = array("h", bytes(model.inputs[0].bytes))
score = array("f", [0])

while True:
    total = 0.0
    for _ in range(TOGETHER):
        accelerometer.read(window)
        model.predict_into(window, score)
        total += score[0]
    mean = total / TOGETHER
    print(f"{mean:.2f}" + (" unlike a sound machine" if mean > LIMIT else ""))
