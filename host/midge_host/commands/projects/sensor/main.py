"""How wet is the soil? Copy to the board as main.py, next to sensor.py and PROJECT.midge."""

from time import sleep_ms

from sensor import RATE, read

import midge

model = midge.load("PROJECT.midge")
while True:
    reading = read()
    print(f"{max(model.predict(reading)[0], 0):.1f} % of water")
    sleep_ms(1000 // RATE)
