"""An accelerometer on an I2C bus, 100 samples a second in g: MPU6050 or LSM6DS, whichever answers."""

import struct
from time import sleep_ms, ticks_add, ticks_diff, ticks_ms

PERIOD = 10  # milliseconds from one sample to the next
STEP = 1 / 8192  # g; both are set to a range of 4 g

# By address: what to write into which registers, the first register of a reading, and the order of its bytes.
SENSORS = {
    0x68: (((0x6B, 0x00), (0x1A, 0x03), (0x1C, 0x08)), 0x3B, ">hhh"),  # MPU6050: awake, 44 Hz low-pass, 4 g
    0x6A: (((0x10, 0x48), (0x12, 0x44)), 0x28, "<hhh"),  # LSM6DS3, LSM6DSO, LSM6DSOX: 104 Hz, 4 g; whole samples
}


class Accelerometer:
    """i2c: machine.I2C. OSError where no known sensor answers."""

    def __init__(self, i2c):
        found = [address for address in i2c.scan() if address in SENSORS]
        if not found:
            raise OSError("no MPU6050 (0x68) and no LSM6DS (0x6a) on this I2C bus; check the wiring")
        self._i2c = i2c
        self._address = found[0]
        setup, self._register, self._order = SENSORS[self._address]
        for register, value in setup:
            i2c.writeto_mem(self._address, register, bytes([value]))
        self._raw = bytearray(6)

    def read(self):
        """(x, y, z) in g."""
        self._i2c.readfrom_mem_into(self._address, self._register, self._raw)
        x, y, z = struct.unpack(self._order, self._raw)
        return x * STEP, y * STEP, z * STEP

    def samples(self):
        """Yields a reading every PERIOD, without end. After a pause the missed ones follow at once."""
        due = ticks_ms()
        while True:
            sleep_ms(max(0, ticks_diff(due, ticks_ms())))
            yield self.read()
            due = ticks_add(due, PERIOD)
