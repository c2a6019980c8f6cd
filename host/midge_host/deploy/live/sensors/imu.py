# An accelerometer on I2C, MPU6050 or LSM6DS, in g: behind the gesture example's sensor.py.
from machine import I2C, Pin

BUS = 0
SDA = 4
SCL = 5
RATE = 100
LIMITS = (-4.0, 3.999)
read = Accelerometer(I2C(BUS, sda=Pin(SDA), scl=Pin(SCL), freq=400_000)).read  # noqa: F821
