"""Learn a machine's hum. Copy to the board as main.py, next to sensor.py and hum.midge.

Start it while the machine is as it should be: it learns for two minutes, and then says when the machine hums otherwise.
What it learnt is there after the next start; delete the file `learnt` to begin anew.
"""

from array import array

from machine import SPI, Pin
from sensor import Accelerometer

import midge

COUNT = 60  # readings to learn from
TOGETHER = 8  # windows that a reading is of: the more, the less damage is noticed, and the later

spi = SPI(0, baudrate=5_000_000, polarity=1, phase=1, sck=Pin(18), mosi=Pin(19), miso=Pin(16))
accelerometer = Accelerometer(spi, Pin(17, Pin.OUT, value=1))
model = midge.load("hum.midge")
learner = model.learner()
window = array("h", bytes(model.inputs[0].bytes))


def look(accelerometer):
    """The sums of what the model sees in some windows."""
    sums = None
    for _ in range(TOGETHER):
        accelerometer.read(window)
        seen = array("b", learner.see(window))
        sums = [sums[i] + seen[i] for i in range(len(seen))] if sums else list(seen)
    return sums


try:
    normal = midge.Normal(look, path="learnt")
except OSError:  # nothing was learnt yet
    normal = midge.Normal(look, COUNT)
    print("learning what is normal")
    while normal.learning:
        normal.update(accelerometer)
    normal.save("learnt")
print("watching")
while True:
    alarm = normal.update(accelerometer)
    print(f"{normal.score:.1f}" + (" not as it was" if alarm else ""))
