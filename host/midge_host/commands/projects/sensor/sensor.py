"""The readings: a capacitive soil probe at GP26, and the Pico's own thermometer."""

from machine import ADC

RATE = 1  # readings a second
PROBE, THERMOMETER = ADC(26), ADC(4)
VOLTS = 3.3 / 65535


def read():
    """(volts of the probe, degrees Celsius)."""
    volts = PROBE.read_u16() * VOLTS
    # RP2040 datasheet, "Temperature Sensor".
    return volts, 27 - (THERMOMETER.read_u16() * VOLTS - 0.706) / 0.001721
