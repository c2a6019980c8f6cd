"""Stands in for a board's pins and bus, which the stand-in camera does not use."""


class Pin:
    def __init__(self, number):
        pass


class I2C:
    def __init__(self, bus, sda, scl, freq):
        pass
